package scsi

const (
	wsAnchorBit   = 0x10
	wsUnmapBit    = 0x08
	wsObsoleteBit = 0x06 // PBDATA and LBDATA
	wsNDOBBit     = 0x01
)

// PutWriteSame16 writes WRITE SAME(16). unmap allows the device to deallocate blocks that would read back the same. With ndob no
// data is sent and the block is all zeroes; else one block of data follows. blocks 0 means all to the end of the device (or is
// refused, where BlockLimits.WSNZ says so): callers must not let an empty range come here.
func PutWriteSame16(c *CDB, lba uint64, blocks uint32, unmap, ndob bool) {
	put16(c, OpWriteSame16, flag(unmap, wsUnmapBit)|flag(ndob, wsNDOBBit), lba, blocks)
}

// WriteSame is a WRITE SAME(10) or (16).
type WriteSame struct {
	LBA     uint64
	Blocks  uint32 // 0: all to the end of the device
	Unmap   bool
	Anchor  bool
	NDOB    bool  // no data-out buffer: the block is all zeroes
	Protect uint8 // WRPROTECT, 0..7
}

// ParseWriteSame decodes WRITE SAME(10) and (16). ANCHOR without UNMAP and the obsolete PBDATA and LBDATA are refused. The error
// is a *CDBError.
func ParseWriteSame(c *CDB) (WriteSame, error) {
	var w WriteSame
	switch OpcodeOf(c) {
	case OpWriteSame10:
		w.LBA, w.Blocks = extent10(c)
	case OpWriteSame16:
		w.LBA, w.Blocks = extent16(c)
		w.NDOB = c[1]&wsNDOBBit != 0
	default:
		return WriteSame{}, badOpcode(c)
	}
	w.Unmap = c[1]&wsUnmapBit != 0
	w.Anchor = c[1]&wsAnchorBit != 0
	w.Protect = c[1] >> 5
	switch {
	case c[1]&wsObsoleteBit != 0:
		return WriteSame{}, badField(c, 1, "PBDATA and LBDATA are obsolete")
	case w.Anchor && !w.Unmap:
		return WriteSame{}, badField(c, 1, "ANCHOR without UNMAP")
	}
	return w, checkControl(c)
}
