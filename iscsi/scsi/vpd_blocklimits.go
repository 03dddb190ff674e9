package scsi

import "math"

// BlockLimits is VPD page B0. Lengths are in blocks; 0 means that the device reports no limit, except where said otherwise.
type BlockLimits struct {
	WSNZ               bool   // WRITE SAME with a length of 0 is refused
	MaxCompareAndWrite uint8  // 0: COMPARE AND WRITE is not supported
	Granularity        uint16 // transfers should be a multiple of this
	MaxTransfer        uint32
	OptimalTransfer    uint32
	MaxPrefetch        uint32
	MaxUnmapBlocks     uint32 // in one UNMAP, all ranges together; 0: UNMAP is not supported, ffffffff: no limit
	MaxUnmapRanges     uint32 // in one UNMAP; 0: UNMAP is not supported, ffffffff: no limit
	UnmapGranularity   uint32 // whole groups of this many blocks can be unmapped
	UnmapAlignment     uint32 // LBA of the first such group, 31 bits; valid if UGAValid
	UGAValid           bool
	MaxWriteSame       uint64
}

const blockLimitsLen = 0x3c

// ParseBlockLimits decodes VPD page B0; fields beyond the end of a shorter page are zero. The error is a *FormatError.
func ParseBlockLimits(b []byte) (BlockLimits, error) {
	body, err := vpdBody(b, VPDBlockLimits)
	if err != nil {
		return BlockLimits{}, err
	}
	var raw [blockLimitsLen]byte
	copy(raw[:], body)
	return BlockLimits{
		WSNZ:               raw[0]&1 != 0,
		MaxCompareAndWrite: raw[1],
		Granularity:        be.Uint16(raw[2:]),
		MaxTransfer:        be.Uint32(raw[4:]),
		OptimalTransfer:    be.Uint32(raw[8:]),
		MaxPrefetch:        be.Uint32(raw[12:]),
		MaxUnmapBlocks:     be.Uint32(raw[16:]),
		MaxUnmapRanges:     be.Uint32(raw[20:]),
		UnmapGranularity:   be.Uint32(raw[24:]),
		UnmapAlignment:     be.Uint32(raw[28:]) & math.MaxInt32,
		UGAValid:           raw[28]&0x80 != 0,
		MaxWriteSame:       be.Uint64(raw[32:]),
	}, nil
}

// Append appends VPD page B0 in its SBC-3 length, 64 bytes with the header.
func (l *BlockLimits) Append(dst []byte) []byte {
	var raw [blockLimitsLen]byte
	raw[0] = flag(l.WSNZ, 1)
	raw[1] = l.MaxCompareAndWrite
	be.PutUint16(raw[2:], l.Granularity)
	be.PutUint32(raw[4:], l.MaxTransfer)
	be.PutUint32(raw[8:], l.OptimalTransfer)
	be.PutUint32(raw[12:], l.MaxPrefetch)
	be.PutUint32(raw[16:], l.MaxUnmapBlocks)
	be.PutUint32(raw[20:], l.MaxUnmapRanges)
	be.PutUint32(raw[24:], l.UnmapGranularity)
	be.PutUint32(raw[28:], l.UnmapAlignment&math.MaxInt32)
	raw[28] |= flag(l.UGAValid, 0x80)
	be.PutUint64(raw[32:], l.MaxWriteSame)
	return append(appendVPD(dst, VPDBlockLimits, len(raw)), raw[:]...)
}
