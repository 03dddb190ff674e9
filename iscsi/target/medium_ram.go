package target

import (
	"math/bits"
	"os"
)

// ram keeps blocks in memory that is touched only where it is written.
type ram struct {
	mem    []byte
	block  int64
	mapped []uint64 // a bit for each block that was written; nil if the unit is not thin
}

var _ memory = (*ram)(nil)

func newRAM(size uint64, block uint32, thin bool) (*ram, error) {
	mem, err := mapMemory(int(size))
	if err != nil {
		return nil, err
	}
	m := &ram{mem: mem, block: int64(block)}
	if thin {
		m.mapped = make([]uint64, m.words(int64(size)))
	}
	return m, nil
}

func (m *ram) Lend(off int64, n int) []byte { return m.mem[off : off+int64(n) : off+int64(n)] }

func (m *ram) ReadAt(p []byte, off int64) (int, error) { return copy(p, m.mem[off:]), nil }

func (m *ram) WriteAt(p []byte, off int64) (int, error) {
	if m.mapped != nil && len(p) > 0 {
		m.mark(off, int64(len(p)), true)
	}
	return copy(m.mem[off:], p), nil
}

// Zero drops the pages of a large extent instead of writing to them.
func (m *ram) Zero(off, n int64, unmap bool) error {
	if m.mapped != nil && n > 0 {
		m.mark(off, n, !unmap)
	}
	return zeroMemory(m.mem, off, n)
}

func (m *ram) mark(off, n int64, on bool) {
	for b := off / m.block; b <= (off+n-1)/m.block; b++ {
		if on {
			m.mapped[b/64] |= 1 << (b % 64)
		} else {
			m.mapped[b/64] &^= 1 << (b % 64)
		}
	}
}

func (m *ram) Sync(_, _ int64) error { return nil }

func (m *ram) Mapped(off int64) (mapped bool, n int64) {
	size := int64(len(m.mem))
	if m.mapped == nil {
		return true, size - off
	}
	first := off / m.block
	mapped = m.bit(first)
	b := first + 1
	for end := size / m.block; b < end && m.bit(b) == mapped; {
		b = min(end, m.nextChange(b, mapped))
	}
	return mapped, b*m.block - off
}

func (m *ram) bit(b int64) bool { return m.mapped[b/64]>>(b%64)&1 != 0 }

// nextChange returns the next block after b in its word that is not as told, or the first of the next word.
func (m *ram) nextChange(b int64, mapped bool) int64 {
	w := m.mapped[b/64] >> (b % 64)
	if mapped {
		w = ^w
	}
	return b + min(int64(bits.TrailingZeros64(w)), 64-b%64)
}

// words is how many of them have the bits for so many bytes.
func (m *ram) words(size int64) int64 { return (size/m.block + 63) / 64 }

func (m *ram) Resize(size int64) error {
	old := int64(len(m.mem))
	if old == 0 {
		return os.ErrClosed
	}
	if size < old {
		if err := m.Zero(size, old-size, true); err != nil { // the last page stays
			return err
		}
	}
	mem, err := remapMemory(m.mem, int(size))
	if err != nil {
		return err
	}
	m.mem = mem
	if m.mapped != nil {
		mapped := make([]uint64, m.words(size))
		copy(mapped, m.mapped)
		m.mapped = mapped
	}
	return nil
}

func (m *ram) Close() error {
	mem := m.mem
	m.mem = nil
	return unmapMemory(mem)
}
