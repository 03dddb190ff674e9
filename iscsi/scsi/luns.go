package scsi

import "fmt"

// MaxLUNs bounds how many LUNs ParseLUNList takes: as many as there are numbers in single-level addressing.
const MaxLUNs = 16384

const lunListHeaderLen = 8

// ParseLUNList decodes the answer to REPORT LUNS into LUNs as 64-bit big-endian values, as a PDU carries them. A list that is
// cut off is a *FormatError with Need set; one longer than MaxLUNs is a *FormatError without it.
func ParseLUNList(b []byte) ([]uint64, error) {
	const what = "REPORT LUNS data"
	if len(b) < lunListHeaderLen {
		return nil, truncated(what, len(b), lunListHeaderLen)
	}
	n := be.Uint32(b)
	if n/8 > MaxLUNs {
		return nil, badData(what, fmt.Sprintf("%d LUNs, more than %d", n/8, MaxLUNs))
	}
	if whole := lunListHeaderLen + int(n); whole > len(b) {
		return nil, truncated(what, len(b), whole)
	}
	luns := make([]uint64, n/8)
	for i := range luns {
		luns[i] = be.Uint64(b[lunListHeaderLen+8*i:])
	}
	return luns, nil
}

// AppendLUNList appends the answer to REPORT LUNS.
func AppendLUNList(dst []byte, luns ...uint64) []byte {
	dst = be.AppendUint32(dst, uint32(8*len(luns)))
	dst = append(dst, 0, 0, 0, 0)
	for _, l := range luns {
		dst = be.AppendUint64(dst, l)
	}
	return dst
}

// EncodeLUN returns LUN number n, 0..16383, as the 64-bit value that a PDU carries: peripheral device addressing below 256, flat
// space addressing above (SAM-5). Arrays may use flat space for small numbers too: prefer the values that REPORT LUNS gave. It
// panics if n is out of range.
func EncodeLUN(n int) uint64 {
	switch {
	case n < 0 || n >= MaxLUNs:
		panic(fmt.Sprintf("scsi: LUN %d is not in 0..%d", n, MaxLUNs-1))
	case n < 256:
		return uint64(n) << 48
	}
	return 0x4000<<48 | uint64(n)<<48
}

// LUNNumber returns the number of a single-level LUN; ok is false for well known and nested ones.
func LUNNumber(lun uint64) (n int, ok bool) {
	top := uint16(lun >> 48)
	if lun<<16 != 0 {
		return 0, false
	}
	switch top >> 14 {
	case 0: // peripheral device: the bus must be 0
		return int(top), top < 256
	case 1: // flat space
		return int(top & 0x3fff), true
	}
	return 0, false
}
