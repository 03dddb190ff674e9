package pdu

import "fmt"

// Frame is one PDU in a buffer. All three are views into it, and as short-lived.
type Frame struct {
	BHS  *BHS
	AHS  []byte // with its padding; ParseAHS takes it apart
	Data []byte // DataSegmentLength bytes, without padding
}

// ParseFrame finds the PDU at the start of buf and the n bytes that it takes there.
//
// The digests are those agreed in the login: with one agreed it is expected, and checked before
// the lengths it protects are believed. maxData is the longest data segment in bytes that is acceptable.
// Errors are ErrShort if buf does not hold all of the PDU yet, *LengthError, *DigestError.
// n is 0 on error, except for a data digest error: the PDU's size is known then
// and the frame is filled in, so that the PDU can be rejected and the next one parsed.
//
// The header's own rules are checked by the Decode methods.
func ParseFrame(buf []byte, headerDigest, dataDigest bool, maxData int) (f Frame, n int, err error) {
	if len(buf) < BHSLen {
		return Frame{}, 0, ErrShort
	}
	bhs := (*BHS)(buf)
	header := BHSLen + AHSLen(bhs)
	n = header
	if headerDigest {
		n += DigestLen
	}
	if len(buf) < n {
		return Frame{}, 0, ErrShort
	}
	if headerDigest {
		if err := checkDigest(true, buf[:header], buf[header:n]); err != nil {
			return Frame{}, 0, err
		}
	}
	f = Frame{BHS: bhs, AHS: buf[BHSLen:header:header]}
	size, err := f.parseData(buf[n:], dataDigest, maxData)
	if size < 0 {
		return Frame{}, 0, err
	}
	return f, n + size, err
}

// parseData finds the data segment at the start of buf and returns the bytes that it takes there
// with padding and digest, or -1 where there is an error that leaves no frame.
func (f *Frame) parseData(buf []byte, digest bool, maxData int) (int, error) {
	n := DataLen(f.BHS)
	if n > maxData {
		return -1, &LengthError{Op: OpcodeOf(f.BHS), Got: n, Max: maxData}
	}
	if n == 0 {
		return 0, nil
	}
	padded := Pad(n)
	size := padded
	if digest {
		size += DigestLen
	}
	if len(buf) < size {
		return -1, ErrShort
	}
	f.Data = buf[:n:n]
	if digest {
		return size, checkDigest(false, buf[:padded], buf[padded:size])
	}
	return size, nil
}

func checkDigest(header bool, covered, digest []byte) error {
	if want, got := Digest(0, covered), GetDigest(digest); want != got {
		return &DigestError{Header: header, Want: want, Got: got}
	}
	return nil
}

// AppendFrame appends a whole PDU to dst: the header with TotalAHSLength and DataSegmentLength set to the
// lengths given (bhs itself is not changed), ahs, data, padding, and the digests asked for.
//
// It panics if ahs is no multiple of 4 or longer than MaxAHSLen, or data is longer
// than MaxDataLen: such a PDU cannot be expressed.
func AppendFrame(dst []byte, bhs *BHS, ahs, data []byte, headerDigest, dataDigest bool) []byte {
	if len(ahs)%4 != 0 || len(ahs) > MaxAHSLen || len(data) > MaxDataLen {
		panic(fmt.Sprintf("pdu: no PDU has %d bytes of AHS and %d of data", len(ahs), len(data)))
	}
	start := len(dst)
	dst = append(dst, bhs[:]...)
	own := (*BHS)(dst[start:])
	own[offTotalAHSLen] = byte(len(ahs) / 4)
	putDataLen(own, uint32(len(data)))
	dst = append(dst, ahs...)
	if headerDigest {
		dst = appendDigest(dst, start)
	}
	if len(data) == 0 {
		return dst
	}
	start = len(dst)
	dst = append(dst, data...)
	dst = appendPad(dst, len(data))
	if dataDigest {
		dst = appendDigest(dst, start)
	}
	return dst
}

// appendDigest appends the digest of dst[start:].
func appendDigest(dst []byte, start int) []byte {
	crc := Digest(0, dst[start:])
	dst = append(dst, 0, 0, 0, 0)
	PutDigest(dst[len(dst)-DigestLen:], crc)
	return dst
}
