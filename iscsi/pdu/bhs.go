package pdu

import "encoding/binary"

const (
	// BHSLen is the size in bytes of the Basic Header Segment that opens every PDU (RFC 7143 11.2.1).
	BHSLen = 48

	// MaxAHSLen is the most bytes of Additional Header Segments that TotalAHSLength can announce.
	MaxAHSLen = 255 * 4

	// MaxDataLen is the most bytes of data that the 24-bit DataSegmentLength can announce.
	MaxDataLen = 1<<24 - 1

	// ReservedTag stands for "no task" in an Initiator Task Tag and "no transfer" in a Target Transfer Tag.
	ReservedTag uint32 = 0xffffffff
)

// BHS is a Basic Header Segment as it is on the wire. View one inside a longer
// buffer, without a copy, with (*BHS)(buf[:BHSLen]).
type BHS = [BHSLen]byte

// Offsets of the fields that keep their place in most headers.
const (
	offOpcode       = 0
	offFlags        = 1
	offTotalAHSLen  = 4
	offDataLen      = 5
	offLUN          = 8
	offITT          = 16
	offTTT          = 20
	offCmdSN        = 24 // requests
	offExpStatSN    = 28 // requests
	offStatSN       = 24 // responses
	offExpCmdSN     = 28 // responses
	offMaxCmdSN     = 32 // responses
	offDataSN       = 36
	offBufferOffset = 40
)

const (
	opcodeMask   = 0x3f
	bitImmediate = 0x40 // of byte 0
	bitFinal     = 0x80 // of byte 1
)

// OpcodeOf returns the PDU's type; the I bit and the reserved bit beside it are left out.
func OpcodeOf(b *BHS) Opcode { return Opcode(b[offOpcode] & opcodeMask) }

// Immediate reports the I bit: the request takes no place in the order of CmdSN.
// Only requests have it, in responses the bit is reserved.
func Immediate(b *BHS) bool { return b[offOpcode]&bitImmediate != 0 }

// ITTOf returns the Initiator Task Tag, which is at the same place in every PDU.
func ITTOf(b *BHS) uint32 { return get32(b, offITT) }

// DataLen returns DataSegmentLength in bytes, without the padding that follows
// the data: 0 to MaxDataLen. The peer chose the value, so compare it with the
// negotiated limit before making room for it.
func DataLen(b *BHS) int {
	return int(b[offDataLen])<<16 | int(b[offDataLen+1])<<8 | int(b[offDataLen+2])
}

// AHSLen returns the size in bytes of all Additional Header Segments: TotalAHSLength
// times 4, 0 to MaxAHSLen.
func AHSLen(b *BHS) int { return int(b[offTotalAHSLen]) * 4 }

// Pad returns n rounded up to the multiple of 4 to which segments are padded.
func Pad(n int) int { return (n + 3) &^ 3 }

func get16(b *BHS, off int) uint16     { return binary.BigEndian.Uint16(b[off:]) }
func get32(b *BHS, off int) uint32     { return binary.BigEndian.Uint32(b[off:]) }
func getSerial(b *BHS, off int) Serial { return Serial(get32(b, off)) }
func getLUN(b *BHS) LUN                { return LUN(binary.BigEndian.Uint64(b[offLUN:])) }
func getDataLen(b *BHS) uint32         { return uint32(DataLen(b)) }

func put16(b *BHS, off int, v uint16)     { binary.BigEndian.PutUint16(b[off:], v) }
func put32(b *BHS, off int, v uint32)     { binary.BigEndian.PutUint32(b[off:], v) }
func putSerial(b *BHS, off int, v Serial) { put32(b, off, uint32(v)) }
func putLUN(b *BHS, v LUN)                { binary.BigEndian.PutUint64(b[offLUN:], uint64(v)) }

func putDataLen(b *BHS, n uint32) {
	b[offDataLen], b[offDataLen+1], b[offDataLen+2] = byte(n>>16), byte(n>>8), byte(n)
}

// begin clears the header and writes its first two bytes.
func begin(b *BHS, op Opcode, immediate bool, flags byte) {
	*b = BHS{offOpcode: byte(op) | bit(immediate, bitImmediate), offFlags: flags}
}

// bit returns mask if on, else 0.
func bit(on bool, mask byte) byte {
	if on {
		return mask
	}
	return 0
}
