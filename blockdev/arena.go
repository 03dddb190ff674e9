package blockdev

import (
	"errors"
	"fmt"
	"sync/atomic"
)

// ChunkSize is the size of every piece of arena memory, in bytes. One size, so nothing fragments.
const ChunkSize = 64 << 10

// Arena is all payload memory of one loop: fixed mappings cut into chunks. It belongs to that loop: from elsewhere only Chunks may be
// called, and Close after the loop has ended. It is grown on purpose, when a device joins the loop, and never for a request.
//
// The free list is last in, first out, so that a lightly loaded arena stays in the cache and touches few pages.
type Arena struct {
	mem     [][]byte     // the mappings
	locked  bool         // new ones are to be locked too
	chunks  atomic.Int64 // in all
	free    []*Chunk
	waiters []Waiter
	told    []Waiter // swaps with waiters
}

// Waiter is told of a chunk that came back.
type Waiter interface{ ChunkFreed() }

// Chunk is one piece of an arena. It is in use while somebody holds a reference; the last Drop puts it back.
type Chunk struct {
	Bytes []byte // ChunkSize bytes, the arena's
	arena *Arena
	quota *Quota
	refs  int32
}

// Quota bounds the chunks that one user of an arena, such as a volume's receive side, may hold at a time.
type Quota struct {
	Max  int // chunks
	Used int // chunks
}

// NewArena maps size bytes, rounded up to whole chunks. The memory is touched only when it is used.
func NewArena(size int) (*Arena, error) {
	a := &Arena{}
	if err := a.Grow(size); err != nil {
		return nil, err
	}
	return a, nil
}

// Grow maps size bytes more, rounded up to whole chunks, for the user that joins. Arenas do not shrink: the next user takes over.
func (a *Arena) Grow(size int) error {
	n := (size + ChunkSize - 1) / ChunkSize
	if n < 1 {
		return fmt.Errorf("blockdev: %d bytes of arena hold no chunk of %d", size, ChunkSize)
	}
	mem, err := mapMemory(n * ChunkSize)
	if err != nil {
		return fmt.Errorf("blockdev: arena of %d bytes: %w", n*ChunkSize, err)
	}
	if a.locked {
		_ = lockMemory(mem) // Lock has told whether it can be done
	}
	a.mem = append(a.mem, mem)
	all := a.chunks.Add(int64(n))
	chunks := make([]Chunk, n)
	free := make([]*Chunk, n, all)
	for i := range chunks {
		c := &chunks[i]
		c.arena, c.Bytes = a, mem[i*ChunkSize:(i+1)*ChunkSize:(i+1)*ChunkSize]
		free[n-1-i] = c
	}
	a.free = append(free, a.free...) // what was in use before stays on top
	return nil
}

// Get takes a chunk with one reference, or nil if the arena or the quota is used up. q may be nil.
func (a *Arena) Get(q *Quota) *Chunk {
	n := len(a.free)
	if n == 0 || q != nil && q.Used >= q.Max {
		return nil
	}
	c := a.free[n-1]
	a.free = a.free[:n-1]
	c.refs, c.quota = 1, q
	if q != nil {
		q.Used++
	}
	return c
}

// Wait tells w, once, of the next chunk that comes back. Whoever found too few waits so. w is told in the middle of somebody's
// Drop: it makes a note and takes chunks later.
func (a *Arena) Wait(w Waiter) { a.waiters = append(a.waiters, w) }

func (a *Arena) tell() {
	a.waiters, a.told = a.told[:0], a.waiters
	for i, w := range a.told {
		a.told[i] = nil
		w.ChunkFreed()
	}
}

// Free is the number of chunks that nobody holds.
func (a *Arena) Free() int { return len(a.free) }

// Chunks is the number of chunks in all. Any goroutine may ask.
func (a *Arena) Chunks() int { return int(a.chunks.Load()) }

// Close unmaps the memory. It fails, and leaves the memory mapped, if a chunk is still in use: a leak.
func (a *Arena) Close() error {
	if held := a.Chunks() - len(a.free); held > 0 {
		return fmt.Errorf("blockdev: arena closed with %d of %d chunks in use", held, a.Chunks())
	}
	var errs []error
	for _, m := range a.mem {
		errs = append(errs, unmapMemory(m))
	}
	a.mem, a.free = nil, nil
	a.chunks.Store(0)
	return errors.Join(errs...)
}

// Keep adds a reference.
func (c *Chunk) Keep() { c.refs++ }

// Shared says whether somebody besides the caller holds a reference.
func (c *Chunk) Shared() bool { return c.refs > 1 }

// Drop gives a reference back; the last one frees the chunk.
func (c *Chunk) Drop() {
	c.refs--
	switch {
	case c.refs > 0:
		return
	case c.refs < 0:
		panic("blockdev: chunk dropped more often than kept")
	}
	if c.quota != nil {
		c.quota.Used--
		c.quota = nil
	}
	c.arena.free = append(c.arena.free, c)
	if len(c.arena.waiters) > 0 {
		c.arena.tell()
	}
}

// Slice makes a segment of c's bytes from lo to hi. It holds no reference of its own.
func (c *Chunk) Slice(lo, hi int) Segment { return Segment{Bytes: c.Bytes[lo:hi:hi], chunk: c} }

// Segment is a piece of payload. It lives in a chunk, or in memory of its owner's that outlives the request.
type Segment struct {
	Bytes []byte
	chunk *Chunk // nil: not arena memory
}

// Extend lets s end at hi, if it is of c and ends at lo. It reports whether it did. The reference is the one that s has.
func (s *Segment) Extend(c *Chunk, lo, hi int) bool {
	n := len(s.Bytes)
	if s.chunk != c || n == 0 || n > lo || &s.Bytes[0] != &c.Bytes[lo-n] {
		return false
	}
	s.Bytes = c.Bytes[lo-n : hi : hi]
	return true
}

// Own makes a segment of memory that is not in an arena. Whoever lends it keeps it unchanged until the reply is on its way.
func Own(b []byte) Segment { return Segment{Bytes: b} }

// InArena says whether the segment is arena memory. What is not may change after the turn, and Keep does not help.
func (s Segment) InArena() bool { return s.chunk != nil }

// Keep adds a reference to the memory under the segment, for use beyond the turn.
func (s Segment) Keep() {
	if s.chunk != nil {
		s.chunk.Keep()
	}
}

// Drop gives back a reference taken by Keep.
func (s Segment) Drop() {
	if s.chunk != nil {
		s.chunk.Drop()
	}
}

// SegmentsLen is the number of bytes in segs.
func SegmentsLen(segs []Segment) (n uint64) {
	for i := range segs {
		n += uint64(len(segs[i].Bytes))
	}
	return n
}
