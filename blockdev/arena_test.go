package blockdev

import (
	"math/rand/v2"
	"testing"
)

func newArena(t *testing.T, chunks int) *Arena {
	t.Helper()
	a, err := NewArena(chunks * ChunkSize)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

func TestArenaSizes(t *testing.T) {
	for size, want := range map[int]int{1: 1, ChunkSize: 1, ChunkSize + 1: 2, 10 * ChunkSize: 10} {
		a, err := NewArena(size)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Chunks(); got != want || a.Free() != want {
			t.Errorf("%d bytes: %d chunks, %d free, want %d", size, got, a.Free(), want)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, size := range []int{0, -1, -ChunkSize} {
		if _, err := NewArena(size); err == nil {
			t.Errorf("an arena of %d bytes was made", size)
		}
	}
}

// TestChunksAreApart fills every chunk with its number: none may share a byte with another, nor be longer than it says.
func TestChunksAreApart(t *testing.T) {
	const n = 5
	a := newArena(t, n)
	var held []*Chunk
	for i := range n {
		c := a.Get(nil)
		if len(c.Bytes) != ChunkSize || cap(c.Bytes) != ChunkSize {
			t.Fatalf("chunk of %d bytes and a capacity of %d, want %d", len(c.Bytes), cap(c.Bytes), ChunkSize)
		}
		for j := range c.Bytes {
			c.Bytes[j] = byte(i)
		}
		held = append(held, c)
	}
	if c := a.Get(nil); c != nil {
		t.Error("an arena that is used up gave a chunk")
	}
	for i, c := range held {
		for _, b := range c.Bytes {
			if b != byte(i) {
				t.Fatalf("chunk %d holds %d", i, b)
			}
		}
		c.Drop()
	}
}

func TestLastInFirstOut(t *testing.T) {
	a := newArena(t, 3)
	first, second := a.Get(nil), a.Get(nil)
	first.Drop()
	if got := a.Get(nil); got != first {
		t.Error("the chunk that was freed last is not the next one")
	}
	first.Drop()
	second.Drop()
}

func TestReferences(t *testing.T) {
	a := newArena(t, 1)
	c := a.Get(nil)
	if c.Shared() {
		t.Error("a new chunk is shared")
	}
	s := c.Slice(16, 64)
	if len(s.Bytes) != 48 || cap(s.Bytes) != 48 || !s.InArena() {
		t.Errorf("slice of %d bytes, capacity %d, in the arena: %v; want 48, 48, true", len(s.Bytes), cap(s.Bytes), s.InArena())
	}
	s.Keep()
	if !c.Shared() {
		t.Error("a chunk with a kept segment is not shared")
	}
	c.Drop()
	if a.Free() != 0 {
		t.Error("the chunk is free while a segment is kept")
	}
	s.Drop()
	if a.Free() != 1 {
		t.Error("the chunk is not free after the last Drop")
	}
	defer func() {
		if recover() == nil {
			t.Error("a Drop too many did not panic")
		}
	}()
	c.Drop()
}

func TestOwnMemoryHasNoReferences(t *testing.T) {
	s := Own([]byte("abc"))
	s.Keep()
	s.Drop()
	s.Drop()
	if s.InArena() || string(s.Bytes) != "abc" {
		t.Errorf("got %q, in an arena: %v", s.Bytes, s.InArena())
	}
}

func TestQuota(t *testing.T) {
	a := newArena(t, 4)
	q, other := &Quota{Max: 2}, &Quota{Max: 4}
	first, second := a.Get(q), a.Get(q)
	if a.Get(q) != nil {
		t.Error("a quota of 2 gave a third chunk")
	}
	third := a.Get(other)
	if q.Used != 2 || other.Used != 1 {
		t.Errorf("used %d and %d, want 2 and 1", q.Used, other.Used)
	}
	first.Drop()
	if q.Used != 1 {
		t.Errorf("used %d after a Drop, want 1", q.Used)
	}
	fourth := a.Get(q)
	if fourth == nil {
		t.Fatal("a quota with room gave nothing")
	}
	for _, c := range []*Chunk{second, third, fourth} {
		c.Drop()
	}
	// A chunk forgets its quota with its last reference.
	c := a.Get(nil)
	c.Drop()
	if q.Used != 0 || other.Used != 0 {
		t.Errorf("used %d and %d in the end, want none", q.Used, other.Used)
	}
}

func TestCloseFindsLeaks(t *testing.T) {
	a, err := NewArena(2 * ChunkSize)
	if err != nil {
		t.Fatal(err)
	}
	c := a.Get(nil)
	if a.Close() == nil {
		t.Fatal("an arena with a chunk in use was closed")
	}
	c.Bytes[0] = 1 // still mapped
	c.Drop()
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

// TestArenaAtRandom takes, keeps and drops, and counts along.
func TestArenaAtRandom(t *testing.T) {
	const chunks = 8
	a := newArena(t, chunks)
	q := &Quota{Max: 5}
	rng := rand.New(rand.NewPCG(1, 1))
	refs := map[*Chunk]int{}
	var held []*Chunk // one entry a reference
	for range 10000 {
		switch n := len(held); {
		case n == 0 || rng.IntN(3) == 0:
			c := a.Get(q)
			if full := len(refs) == q.Max; (c == nil) != full {
				t.Fatalf("with %d chunks in use Get gave %v", len(refs), c)
			}
			if c != nil {
				if refs[c] != 0 {
					t.Fatal("a chunk that is in use was given again")
				}
				refs[c], held = 1, append(held, c)
			}
		case rng.IntN(3) == 0:
			c := held[rng.IntN(n)]
			c.Keep()
			refs[c]++
			held = append(held, c)
		default:
			i := rng.IntN(n)
			c := held[i]
			held[i] = held[n-1]
			held = held[:n-1]
			c.Drop()
			if refs[c]--; refs[c] == 0 {
				delete(refs, c)
			}
		}
		if a.Free() != chunks-len(refs) || q.Used != len(refs) {
			t.Fatalf("%d free and %d of the quota used with %d in use", a.Free(), q.Used, len(refs))
		}
	}
	for _, c := range held {
		c.Drop()
	}
}

func TestSegmentsLen(t *testing.T) {
	if got := SegmentsLen(nil); got != 0 {
		t.Errorf("got %d of nothing, want 0", got)
	}
	if got := SegmentsLen([]Segment{Own(make([]byte, 3)), {}, Own(make([]byte, 4))}); got != 7 {
		t.Errorf("got %d, want 7", got)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	a := newArena(t, 2)
	q := &Quota{Max: 1}
	r := &Request{}
	var l layer
	got := testing.AllocsPerRun(100, func() {
		c := a.Get(q)
		s := c.Slice(0, 512)
		s.Keep()
		c.Drop()
		s.Drop()
		r.Push(&l)
		r.Complete(nil)
	})
	if got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}

func TestExtend(t *testing.T) {
	a, err := NewArena(2 * ChunkSize)
	if err != nil {
		t.Fatal(err)
	}
	c, other := a.Get(nil), a.Get(nil)
	s := c.Slice(10, 20)
	for _, no := range []bool{
		s.Extend(c, 21, 30), s.Extend(c, 10, 30), s.Extend(c, 5, 30), s.Extend(other, 20, 30), (&Segment{}).Extend(c, 0, 1),
	} {
		if no {
			t.Error("extended by what does not follow it")
		}
	}
	if !s.Extend(c, 20, ChunkSize) || len(s.Bytes) != ChunkSize-10 || &s.Bytes[0] != &c.Bytes[10] {
		t.Errorf("not extended to the end: %d bytes", len(s.Bytes))
	}
	c.Drop()
	other.Drop()
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

// TestArenaGrows: what it has stays what it was, and the last Drop brings everything back.
func TestArenaGrows(t *testing.T) {
	a, err := NewArena(2 * ChunkSize)
	if err != nil {
		t.Fatal(err)
	}
	first, second := a.Get(nil), a.Get(nil)
	first.Bytes[0] = 1
	if a.Get(nil) != nil {
		t.Fatal("an arena of two chunks gave three")
	}
	if err := a.Grow(3*ChunkSize - 1); err != nil {
		t.Fatal(err)
	}
	second.Drop()
	if got := a.Get(nil); got != second {
		t.Error("the memory that was in use last is not the first to be used again")
	}
	for n := 0; n < 3; n++ {
		c := a.Get(nil)
		if c == nil || c == first || c == second {
			t.Fatalf("chunk %d of three that came: %p", n, c)
		}
		defer c.Drop()
	}
	if a.Get(nil) != nil || a.Free() != 0 || a.Chunks() != 5 || first.Bytes[0] != 1 {
		t.Errorf("free %d of %d", a.Free(), a.Chunks())
	}
	if err := a.Grow(0); err == nil {
		t.Error("grown by nothing")
	}
	first.Drop()
	second.Drop()
}
