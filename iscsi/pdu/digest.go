package pdu

import (
	"encoding/binary"
	"hash/crc32"
)

// DigestLen is the size in bytes of a header digest or a data digest.
const DigestLen = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Digest continues a CRC32C over b: start with 0, go on with the result. The data digest covers the data
// segment with its pad bytes, so pass those too. A segment of length 0 has no digest.
func Digest(crc uint32, b []byte) uint32 { return crc32.Update(crc, castagnoli, b) }

// HeaderDigest returns the CRC32C of a header: the BHS and the AHS after it, in one
// slice or in several.
func HeaderDigest(bhsAndAHS ...[]byte) uint32 {
	var crc uint32
	for _, b := range bhsAndAHS {
		crc = Digest(crc, b)
	}
	return crc
}

// PutDigest writes the digest into b[:DigestLen] in the order of the wire: the
// low byte first, unlike every other field.
func PutDigest(b []byte, crc uint32) { binary.LittleEndian.PutUint32(b, crc) }

// GetDigest reads the digest at b[:DigestLen].
func GetDigest(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
