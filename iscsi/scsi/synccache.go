package scsi

const immedBit = 0x02

// PutSyncCache16 writes SYNCHRONIZE CACHE(16) without IMMED: GOOD means that the blocks are on the medium. blocks 0 means all
// from lba to the end, so lba 0 and blocks 0 is the whole device.
func PutSyncCache16(c *CDB, lba uint64, blocks uint32) {
	put16(c, OpSynchronizeCache16, 0, lba, blocks)
}

// PutSyncCache10 is PutSyncCache16 for devices that know the older command only.
func PutSyncCache10(c *CDB, lba uint32, blocks uint16) {
	put10(c, OpSynchronizeCache10, 0, lba, blocks)
}

// SyncCache is a SYNCHRONIZE CACHE(10) or (16).
type SyncCache struct {
	LBA    uint64
	Blocks uint32 // 0: all to the end of the device
	Immed  bool   // status is wanted before the blocks are on the medium
}

// ParseSyncCache decodes SYNCHRONIZE CACHE(10) and (16). The error is a *CDBError.
func ParseSyncCache(c *CDB) (SyncCache, error) {
	var s SyncCache
	switch OpcodeOf(c) {
	case OpSynchronizeCache10:
		s.LBA, s.Blocks = extent10(c)
	case OpSynchronizeCache16:
		s.LBA, s.Blocks = extent16(c)
	default:
		return SyncCache{}, badOpcode(c)
	}
	s.Immed = c[1]&immedBit != 0
	return s, checkControl(c)
}

// Prefetch is a PRE-FETCH(10) or (16).
type Prefetch struct {
	LBA    uint64
	Blocks uint32 // 0: all to the end of the device
	Immed  bool
}

// ParsePrefetch decodes PRE-FETCH(10) and (16). The error is a *CDBError.
func ParsePrefetch(c *CDB) (Prefetch, error) {
	var p Prefetch
	switch OpcodeOf(c) {
	case OpPrefetch10:
		p.LBA, p.Blocks = extent10(c)
	case OpPrefetch16:
		p.LBA, p.Blocks = extent16(c)
	default:
		return Prefetch{}, badOpcode(c)
	}
	p.Immed = c[1]&immedBit != 0
	return p, checkControl(c)
}
