package scsi

// MaxUnmapRanges is how many ranges the 16-bit lengths of an UNMAP can express.
const MaxUnmapRanges = (65535 - unmapHeaderLen) / unmapRangeLen

const (
	unmapHeaderLen = 8
	unmapRangeLen  = 16
	unmapAnchorBit = 0x01
)

// PutUnmap writes UNMAP. paramLen is the length in bytes of the parameter list that is sent with it.
func PutUnmap(c *CDB, paramLen uint16) {
	*c = CDB{byte(OpUnmap)}
	be.PutUint16(c[7:], paramLen)
}

// Unmap is an UNMAP command; its ranges are in the parameter list.
type Unmap struct {
	Anchor   bool
	ParamLen uint16 // bytes of parameter list; 0 unmaps nothing and is no error
}

// ParseUnmap decodes UNMAP. The error is a *CDBError.
func ParseUnmap(c *CDB) (Unmap, error) {
	if err := checkCDB(c, OpUnmap); err != nil {
		return Unmap{}, err
	}
	return Unmap{Anchor: c[1]&unmapAnchorBit != 0, ParamLen: be.Uint16(c[7:])}, nil
}

// Range is one range of blocks of an UNMAP.
type Range struct {
	LBA    uint64
	Blocks uint32 // 0 unmaps nothing
}

// AppendUnmapList appends the parameter list of UNMAP: 8 bytes and 16 for each range. It panics if there are more than
// MaxUnmapRanges; a device's own limit is BlockLimits.MaxUnmapRanges.
func AppendUnmapList(dst []byte, ranges ...Range) []byte {
	if len(ranges) > MaxUnmapRanges {
		panic("scsi: more ranges than an UNMAP can carry")
	}
	n := len(ranges) * unmapRangeLen
	dst = be.AppendUint16(dst, uint16(unmapHeaderLen-2+n))
	dst = be.AppendUint16(dst, uint16(n))
	dst = append(dst, 0, 0, 0, 0)
	for _, r := range ranges {
		dst = be.AppendUint64(dst, r.LBA)
		dst = be.AppendUint32(dst, r.Blocks)
		dst = append(dst, 0, 0, 0, 0)
	}
	return dst
}

// UnmapList is a parsed parameter list of UNMAP. It refers to the bytes that were parsed, which stay the caller's.
type UnmapList struct{ ranges []byte }

// ParseUnmapList checks the parameter list of UNMAP. No bytes at all are an empty list, and an incomplete last range is ignored,
// as SBC-3 has it; lengths beyond the data are a *FormatError, for which a target reports CodeParameterListLength.
func ParseUnmapList(b []byte) (UnmapList, error) {
	const what = "UNMAP parameter list"
	if len(b) == 0 {
		return UnmapList{}, nil
	}
	if len(b) < unmapHeaderLen {
		return UnmapList{}, truncated(what, len(b), unmapHeaderLen)
	}
	n := int(be.Uint16(b[2:]))
	if whole := unmapHeaderLen + n; whole > len(b) {
		return UnmapList{}, truncated(what, len(b), whole)
	}
	if n > 0 && int(be.Uint16(b))+2 < unmapHeaderLen+n {
		return UnmapList{}, badData(what, "descriptors are longer than the list")
	}
	n -= n % unmapRangeLen
	return UnmapList{b[unmapHeaderLen : unmapHeaderLen+n]}, nil
}

// Len is the number of ranges, at most MaxUnmapRanges.
func (l UnmapList) Len() int { return len(l.ranges) / unmapRangeLen }

// At returns range i, 0 <= i < Len().
func (l UnmapList) At(i int) Range {
	b := l.ranges[i*unmapRangeLen:][:unmapRangeLen]
	return Range{LBA: be.Uint64(b), Blocks: be.Uint32(b[8:])}
}
