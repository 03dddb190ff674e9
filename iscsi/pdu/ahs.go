package pdu

import "encoding/binary"

// The types of Additional Header Segments (RFC 7143 11.2.2.1). Both belong to SCSI Command.
const (
	AHSExtendedCDB    uint8 = 1
	AHSBidiReadLength uint8 = 2
)

const (
	ahsHeaderLen  = 3 // AHSLength and AHSType
	ahsTypeMask   = 0x3f
	bidiLen       = 5 // a reserved byte, then 4 bytes
	cdbInBHS      = 16
	maxAHSDataLen = MaxAHSLen - ahsHeaderLen
)

// MaxCDBLen is the longest CDB that one PDU can carry.
const MaxCDBLen = cdbInBHS + maxAHSDataLen - 1

// AHS is what the Additional Header Segments of a SCSI Command say.
type AHS struct {
	ExtendedCDB    []byte // the CDB from its 17th byte, without padding; nil if there is none
	Bidi           bool   // BidiReadLength is there
	BidiReadLength uint32 // Expected Bidirectional Read Data Transfer Length in bytes
}

// Append appends the segments to dst, each padded. The result is TotalAHSLength words longer.
// At most MaxCDBLen-16 bytes of ExtendedCDB fit beside nothing else.
func (a *AHS) Append(dst []byte) []byte {
	if len(a.ExtendedCDB) > 0 {
		dst = appendAHSHeader(dst, AHSExtendedCDB, 1+len(a.ExtendedCDB))
		dst = append(dst, 0)
		dst = append(dst, a.ExtendedCDB...)
		dst = appendPad(dst, ahsHeaderLen+1+len(a.ExtendedCDB))
	}
	if a.Bidi {
		dst = appendAHSHeader(dst, AHSBidiReadLength, bidiLen)
		dst = append(dst, 0)
		dst = binary.BigEndian.AppendUint32(dst, a.BidiReadLength)
	}
	return dst
}

// Parse reads the segments of a SCSI Command. ExtendedCDB is a view into b. Segments of
// other types, and of one type twice, are a *FormatError.
func (a *AHS) Parse(b []byte) error {
	*a = AHS{}
	return ParseAHS(b, a.add)
}

func (a *AHS) add(typ uint8, data []byte) error {
	switch {
	case typ == AHSExtendedCDB && a.ExtendedCDB == nil && len(data) > 1:
		a.ExtendedCDB = data[1:]
	case typ == AHSBidiReadLength && !a.Bidi && len(data) == bidiLen:
		a.Bidi, a.BidiReadLength = true, binary.BigEndian.Uint32(data[1:])
	default:
		return malformed(OpSCSICommand, "AHS", "unknown type, wrong length, or a type twice")
	}
	return nil
}

// AppendAHS appends one segment: data is what AHSLength counts, from the byte after AHSType on, so it has at
// least one byte. Padding is added. The caller keeps the sum within MaxAHSLen.
func AppendAHS(dst []byte, typ uint8, data []byte) []byte {
	dst = appendAHSHeader(dst, typ, len(data))
	dst = append(dst, data...)
	return appendPad(dst, ahsHeaderLen+len(data))
}

// ParseAHS calls fn for each segment in b, which is all of a PDU's AHS, AHSLen bytes. data is a view
// into b: what AHSLength counts. It stops at the first error, its own *FormatError or fn's.
func ParseAHS(b []byte, fn func(typ uint8, data []byte) error) error {
	for len(b) > 0 {
		if len(b) < ahsHeaderLen+1 {
			return malformed(OpSCSICommand, "AHS", "shorter than its header")
		}
		n := int(binary.BigEndian.Uint16(b))
		size := Pad(ahsHeaderLen + n)
		if n == 0 || size > len(b) {
			return malformed(OpSCSICommand, "AHSLength", "0, or more than TotalAHSLength has room for")
		}
		if err := fn(b[2]&ahsTypeMask, b[ahsHeaderLen:ahsHeaderLen+n]); err != nil {
			return err
		}
		b = b[size:]
	}
	return nil
}

func appendAHSHeader(dst []byte, typ uint8, n int) []byte {
	return append(binary.BigEndian.AppendUint16(dst, uint16(n)), typ)
}

// appendPad appends the zeroes that a segment of n bytes lacks to a multiple of 4.
func appendPad(dst []byte, n int) []byte {
	var zeroes [3]byte
	return append(dst, zeroes[:Pad(n)-n]...)
}
