package memdev

import (
	"iter"

	"github.com/hawser-storage/hawser/blockdev"
)

// ExtentSize is the unit in which memory is taken and given back, in bytes.
const ExtentSize = 64 << 10

// zeroes is what was never written. It is lent and never changed. It is larger than an extent so that a null device needs few
// segments; the kernel backs all of it by one page.
var zeroes [1 << 20]byte

// extent is a piece of content. A discarded one is left to the garbage collector, as somebody may still be reading it.
type extent struct {
	bytes [ExtentSize]byte
	lent  uint64 // the turn in which it was lent last
}

// store is the content of a device: the extents that were written, by number.
type store struct {
	extents map[uint64]*extent
	max     int // extents; 0 is no limit
}

func newStore(maxMemory uint64) store {
	s := store{extents: map[uint64]*extent{}}
	if maxMemory > 0 {
		s.max = int(max(1, min(maxMemory/ExtentSize, 1<<31)))
	}
	return s
}

func (s *store) allocated() uint64 { return uint64(len(s.extents)) * ExtentSize }

// piece is the part of an extent that a range covers.
func piece(off, length uint64) (number uint64, lo, hi int) {
	in := off % ExtentSize
	return off / ExtentSize, int(in), int(min(in+length, ExtentSize))
}

// lend appends the segments of a range to segs and notes the turn.
func (s *store) lend(segs []blockdev.Segment, off, length, turn uint64) []blockdev.Segment {
	for length > 0 {
		number, lo, hi := piece(off, length)
		b := zeroes[: hi-lo : hi-lo]
		if e := s.extents[number]; e != nil {
			b = e.bytes[lo:hi:hi]
			e.lent = turn
		}
		segs = append(segs, blockdev.Own(b))
		off, length = off+uint64(hi-lo), length-uint64(hi-lo)
	}
	return segs
}

// lentIn says whether a range, or what shares an extent with it, was lent in the turn.
func (s *store) lentIn(turn, off, length uint64) bool {
	for _, e := range s.within(off, length) {
		if e.lent == turn {
			return true
		}
	}
	return false
}

// reserve makes sure that there is an extent behind every byte of a range, or says that there cannot be and takes none.
func (s *store) reserve(off, length uint64) bool {
	if length == 0 {
		return true
	}
	first, last := off/ExtentSize, (off+length-1)/ExtentSize
	missing := 0
	for n := first; n <= last; n++ {
		if s.extents[n] == nil {
			missing++
		}
	}
	if s.max > 0 && missing > s.max-len(s.extents) {
		return false
	}
	for n := first; n <= last && missing > 0; n++ {
		if s.extents[n] == nil {
			s.extents[n] = new(extent)
			missing--
		}
	}
	return true
}

// copyIn writes b to a range that was reserved.
func (s *store) copyIn(b []byte, off uint64) {
	for len(b) > 0 {
		number, lo, hi := piece(off, uint64(len(b)))
		n := copy(s.extents[number].bytes[lo:hi], b)
		b, off = b[n:], off+uint64(n)
	}
}

// copyOut reads a range into b.
func (s *store) copyOut(b []byte, off uint64) {
	for len(b) > 0 {
		number, lo, hi := piece(off, uint64(len(b)))
		src := zeroes[:hi-lo]
		if e := s.extents[number]; e != nil {
			src = e.bytes[lo:hi]
		}
		n := copy(b, src)
		b, off = b[n:], off+uint64(n)
	}
}

// discard gives the extents of a range back. Those that are covered in part are zeroed there.
func (s *store) discard(off, length uint64) {
	for number, e := range s.within(off, length) {
		if lo, hi := clip(number, off, length); hi-lo == ExtentSize {
			delete(s.extents, number)
		} else {
			clear(e.bytes[lo:hi])
		}
	}
}

// zero makes a range read as zeroes and keeps its extents.
func (s *store) zero(off, length uint64) {
	for number, e := range s.within(off, length) {
		lo, hi := clip(number, off, length)
		clear(e.bytes[lo:hi])
	}
}

// clip is the part of an extent that lies in a range, which it meets.
func clip(number, off, length uint64) (lo, hi int) {
	start := number * ExtentSize
	return int(max(off, start) - start), int(min(off+length-start, ExtentSize))
}

// within are the extents that a range meets, in any order, whichever is shorter: the range or all there are. They may be deleted
// on the way.
func (s *store) within(off, length uint64) iter.Seq2[uint64, *extent] {
	return func(yield func(uint64, *extent) bool) {
		if length == 0 || len(s.extents) == 0 {
			return
		}
		first, last := off/ExtentSize, (off+length-1)/ExtentSize
		if last-first >= uint64(len(s.extents)) {
			for number, e := range s.extents {
				if first <= number && number <= last && !yield(number, e) {
					return
				}
			}
			return
		}
		for number := first; number <= last; number++ {
			if e := s.extents[number]; e != nil && !yield(number, e) {
				return
			}
		}
	}
}
