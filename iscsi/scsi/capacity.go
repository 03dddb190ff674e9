package scsi

import (
	"fmt"
	"math"
)

// Capacity is the answer to READ CAPACITY.
type Capacity struct {
	Blocks        uint64 // how many there are: the last LBA plus one
	BlockSize     uint32 // bytes, a power of two, MinBlockSize..MaxBlockSize
	LBPME         bool   // the unit is thin or resource provisioned; VPD page B2 says more
	LBPRZ         bool   // unmapped blocks read as zeroes
	LBPPBE        uint8  // 2 to this power of blocks make a physical block, 0..15
	LowestAligned uint16 // the first LBA that begins a physical block, 14 bits
	Protection    uint8  // protection type 1..3 that the unit is formatted with, 0 for none
}

// The block sizes, in bytes, that a Capacity may have.
const (
	MinBlockSize = 512
	MaxBlockSize = 65536
)

// The lengths in bytes of the answers to READ CAPACITY.
const (
	Capacity10Len = 8
	Capacity16Len = 32
)

const capacity16MinLen = 12

// ParseCapacity10 decodes the answer to READ CAPACITY(10) and validates it. The error is ErrUseReadCapacity16 or a *FormatError.
func ParseCapacity10(b []byte) (Capacity, error) {
	if len(b) < Capacity10Len {
		return Capacity{}, truncated("READ CAPACITY(10) data", len(b), Capacity10Len)
	}
	last := be.Uint32(b)
	if last == math.MaxUint32 {
		return Capacity{}, ErrUseReadCapacity16
	}
	c := Capacity{Blocks: uint64(last) + 1, BlockSize: be.Uint32(b[4:])}
	return c, c.Validate()
}

// ParseCapacity16 decodes the answer to READ CAPACITY(16) and validates it. Of 32 bytes the first 12 must be there; the rest is
// taken as zero if missing. The error is a *FormatError.
func ParseCapacity16(b []byte) (Capacity, error) {
	if len(b) < capacity16MinLen {
		return Capacity{}, truncated("READ CAPACITY(16) data", len(b), Capacity16Len)
	}
	var raw [Capacity16Len]byte
	copy(raw[:], b)
	c := Capacity{
		Blocks:        be.Uint64(raw[0:]) + 1,
		BlockSize:     be.Uint32(raw[8:]),
		LBPPBE:        raw[13] & 0x0f,
		LBPME:         raw[14]&0x80 != 0,
		LBPRZ:         raw[14]&0x40 != 0,
		LowestAligned: be.Uint16(raw[14:]) & 0x3fff,
	}
	if raw[12]&1 != 0 {
		c.Protection = raw[12]>>1&7 + 1
	}
	return c, c.Validate()
}

// Validate says what makes the capacity unusable: a block size that is not a power of two from MinBlockSize to MaxBlockSize, no
// blocks, or more bytes than an int64 counts. The error is a *FormatError.
func (c *Capacity) Validate() error {
	const what = "READ CAPACITY data"
	switch bs := c.BlockSize; {
	case bs < MinBlockSize || bs > MaxBlockSize || bs&(bs-1) != 0:
		return badData(what, fmt.Sprintf("block size %d is not a power of two from %d to %d", bs, MinBlockSize, MaxBlockSize))
	case c.Blocks == 0:
		return badData(what, "no usable number of blocks")
	case c.Blocks > math.MaxInt64/uint64(bs):
		return badData(what, fmt.Sprintf("%d blocks of %d bytes are more than an offset can express", c.Blocks, bs))
	}
	return nil
}

// Bytes is the size in bytes of a valid Capacity.
func (c *Capacity) Bytes() uint64 { return c.Blocks * uint64(c.BlockSize) }

// Append10 appends the answer to READ CAPACITY(10); for a device too large for it, the one that sends the asker to (16).
func (c *Capacity) Append10(dst []byte) []byte {
	last := min(c.Blocks-1, math.MaxUint32)
	return be.AppendUint32(be.AppendUint32(dst, uint32(last)), c.BlockSize)
}

// Append16 appends the answer to READ CAPACITY(16).
func (c *Capacity) Append16(dst []byte) []byte {
	var raw [Capacity16Len]byte
	be.PutUint64(raw[0:], c.Blocks-1)
	be.PutUint32(raw[8:], c.BlockSize)
	if c.Protection != 0 {
		raw[12] = (c.Protection-1)&7<<1 | 1
	}
	raw[13] = c.LBPPBE & 0x0f
	be.PutUint16(raw[14:], c.LowestAligned&0x3fff)
	raw[14] |= flag(c.LBPME, 0x80) | flag(c.LBPRZ, 0x40)
	return append(dst, raw[:]...)
}
