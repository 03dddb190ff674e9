package scsi

import "math"

const (
	dpoBit = 0x10
	fuaBit = 0x08
)

// PutRead writes the CDB that reads blocks from lba on: READ(10) if it can express them and ends below block 2^32, else READ(16).
// No blocks is a valid command that transfers nothing. With fua the blocks come from the medium, not from a volatile cache;
// only where the device has DPOFUA set.
func PutRead(c *CDB, lba uint64, blocks uint32, fua bool) {
	putRW(c, OpRead10, OpRead16, lba, blocks, fua)
}

// PutWrite writes the CDB that writes blocks from lba on, as PutRead chooses it. With fua the status comes once the blocks are
// on the medium; only where the device has DPOFUA set.
func PutWrite(c *CDB, lba uint64, blocks uint32, fua bool) {
	putRW(c, OpWrite10, OpWrite16, lba, blocks, fua)
}

func putRW(c *CDB, op10, op16 Opcode, lba uint64, blocks uint32, fua bool) {
	if lba <= math.MaxUint32 && blocks <= math.MaxUint16 && lba+uint64(blocks) <= 1<<32 {
		put10(c, op10, flag(fua, fuaBit), uint32(lba), uint16(blocks))
	} else {
		put16(c, op16, flag(fua, fuaBit), lba, blocks)
	}
}

// put10 writes the layout that the 10-byte block commands share.
func put10(c *CDB, op Opcode, flags byte, lba uint32, blocks uint16) {
	*c = CDB{byte(op), flags}
	be.PutUint32(c[2:], lba)
	be.PutUint16(c[7:], blocks)
}

// put16 writes the layout that the 16-byte block commands share.
func put16(c *CDB, op Opcode, flags byte, lba uint64, blocks uint32) {
	*c = CDB{byte(op), flags}
	be.PutUint64(c[2:], lba)
	be.PutUint32(c[10:], blocks)
}

// RW is a READ or WRITE of any CDB length.
type RW struct {
	LBA     uint64
	Blocks  uint32 // blocks to transfer; 0 transfers nothing
	Write   bool
	FUA     bool  // force unit access
	DPO     bool  // disable page out, a hint to the cache
	Protect uint8 // RDPROTECT or WRPROTECT, 0..7; not 0 asks for protection information
}

// ParseRW decodes READ and WRITE of 6, 10, 12 and 16 bytes. It checks no range: see InRange. The error is a *CDBError.
func ParseRW(c *CDB) (RW, error) {
	var r RW
	switch OpcodeOf(c) {
	case OpRead6, OpWrite6:
		r = parseRW6(c)
	case OpRead10, OpWrite10:
		r.LBA, r.Blocks = extent10(c)
		r.setFlags(c[1])
	case OpRead12, OpWrite12:
		r.LBA, r.Blocks = uint64(be.Uint32(c[2:])), be.Uint32(c[6:])
		r.setFlags(c[1])
	case OpRead16, OpWrite16:
		r.LBA, r.Blocks = extent16(c)
		r.setFlags(c[1])
	default:
		return RW{}, badOpcode(c)
	}
	if err := checkControl(c); err != nil {
		return RW{}, err
	}
	switch OpcodeOf(c) {
	case OpWrite6, OpWrite10, OpWrite12, OpWrite16:
		r.Write = true
	}
	return r, nil
}

// parseRW6 decodes the oldest form: 21 bits of LBA, and a length where 0 means 256 blocks.
func parseRW6(c *CDB) RW {
	blocks := uint32(c[4])
	if blocks == 0 {
		blocks = 256
	}
	return RW{LBA: uint64(be.Uint32(c[0:]) & 0x1fffff), Blocks: blocks}
}

func (r *RW) setFlags(b byte) {
	r.Protect = b >> 5
	r.DPO = b&dpoBit != 0
	r.FUA = b&fuaBit != 0
}

func extent10(c *CDB) (lba uint64, blocks uint32) {
	return uint64(be.Uint32(c[2:])), uint32(be.Uint16(c[7:]))
}

func extent16(c *CDB) (lba uint64, blocks uint32) {
	return be.Uint64(c[2:]), be.Uint32(c[10:])
}
