package blocktest

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/hawser-storage/hawser/blockdev"
)

// A written block says what it is, in big-endian words of 8 bytes: magic, seed, write, block, and then a sequence that depends on
// all of them.
const magic = 0x6861777365720000

// value is the content of a block: the number of the WRITE that left it, or zeroes.
type value uint64

const (
	zeroValue value = 0
	anyValue  value = 1<<64 - 1 // nobody knows: the block was not written yet
)

func (v value) String() string {
	switch v {
	case zeroValue:
		return "zeroes"
	case anyValue:
		return "anything"
	}
	return fmt.Sprintf("write %d", uint64(v))
}

// stamp fills p with the content that WRITE v leaves in the blocks from first on.
func stamp(p []byte, seed uint64, v value, first uint64, blockSize int) {
	for ; len(p) >= blockSize; first++ {
		stampBlock(p[:blockSize], seed, v, first)
		p = p[blockSize:]
	}
}

func stampBlock(p []byte, seed uint64, v value, block uint64) {
	for i, w := range header(seed, v, block) {
		binary.BigEndian.PutUint64(p[8*i:], w)
	}
	x := seed ^ uint64(v)<<32 ^ block
	var b piece
	for p = p[headerLen:]; len(p) > 0; p = p[copy(p, b[:]):] {
		x = b.fill(x)
	}
}

// A piece of the sequence is made aside and then copied or compared as a whole: under the race detector a byte at a time would be most of
// what the tests of a device do.
type piece [1 << 10]byte

// fill makes the piece that follows x.
//
//go:norace
func (b *piece) fill(x uint64) uint64 {
	for i := 0; i < len(b); i += 8 {
		x = mix(x)
		binary.BigEndian.PutUint64(b[i:], x)
	}
	return x
}

const headerLen = 32

func header(seed uint64, v value, block uint64) [headerLen / 8]uint64 {
	return [...]uint64{magic, seed, uint64(v), block}
}

// tear is where p, which has a header, stops being what was stamped; len(p) if it is whole.
func tear(p []byte, seed uint64, v value, block uint64) int {
	x := seed ^ uint64(v)<<32 ^ block
	var b piece
	for at := headerLen; at < len(p); at += len(b) {
		x = b.fill(x)
		if q := p[at:min(at+len(b), len(p))]; !bytes.Equal(q, b[:len(q)]) {
			return at + firstDifference(q, b[:])/8*8
		}
	}
	return len(p)
}

func firstDifference(p, q []byte) int {
	i := 0
	for p[i] == q[i] {
		i++
	}
	return i
}

// fill fills p with one byte.
func fill(p []byte, b byte) {
	if len(p) == 0 {
		return
	}
	p[0] = b
	for n := 1; n < len(p); n *= 2 {
		copy(p[n:], p[:n])
	}
}

// mix is a step of splitmix64.
//
//go:norace
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// identify says which WRITE of this seed p, the content of one block, is from. The error says what p is instead.
func identify(p []byte, seed, block uint64) (value, error) {
	if binary.BigEndian.Uint64(p) != magic {
		return notStamped(p)
	}
	s, v, b := binary.BigEndian.Uint64(p[8:]), value(binary.BigEndian.Uint64(p[16:])), binary.BigEndian.Uint64(p[24:])
	if at := tear(p, s, v, b); at < len(p) {
		return 0, fmt.Errorf("torn: it begins as write %d of seed %d to block %d, but from byte %d on it is % x ...", v, s, b, at, p[at:at+8])
	}
	if s != seed || b != block {
		return 0, fmt.Errorf("foreign: write %d of seed %d to block %d", v, s, b)
	}
	return v, nil
}

func notStamped(p []byte) (value, error) {
	switch {
	case !bytes.Equal(p[1:], p[:len(p)-1]): // not all alike
		return 0, fmt.Errorf("no block of ours: % x ...", p[:min(16, len(p))])
	case p[0] == 0:
		return zeroValue, nil
	case p[0] == poison:
		return 0, fmt.Errorf("poison: the device read a WRITE's memory after it was complete")
	}
	return 0, fmt.Errorf("all bytes are %#02x", p[0])
}

// expect says whether p is what WRITE v left in the blocks from first on; zeroValue stands for zeroes.
func expect(p []byte, seed uint64, v value, first uint64, blockSize int) error {
	for ; len(p) >= blockSize; first++ {
		got, err := identify(p[:blockSize], seed, first)
		if err == nil && got != v {
			err = fmt.Errorf("%s", got)
		}
		if err != nil {
			return fmt.Errorf("block %d: got %w, want %s", first, err, v)
		}
		p = p[blockSize:]
	}
	return nil
}

// describe is the failure of an IO.
func describe(io *IO) error {
	if io.Op == blockdev.Flush {
		return fmt.Errorf("%s: %w", io.Op, io.Err)
	}
	return fmt.Errorf("%s %d+%d: %w", io.Op, io.Offset, io.length(), io.Err)
}
