package main

import (
	"context"
	"math/rand/v2"
	"regexp"
	"sync"
	"testing"
	"time"
)

// TestDemo is the whole demonstration, in short.
func TestDemo(t *testing.T) {
	status, stdout, stderr := command(t, "demo", "--seconds", "2", "--size", "16M")
	if status != exitDone || stderr != "" {
		t.Errorf("got status %d, stderr %q", status, stderr)
	}
	for _, want := range []string{
		`path 2 is cut`, `path 2 may come back`, `(?m)^1 .* up$`, `(?m)^2 .* up, down`, `data verified: 4,096 blocks, 0 mismatches`,
	} {
		if !regexp.MustCompile(want).MatchString(stdout) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
}

// memory is a device that may lose a write.
type memory struct {
	mu   sync.Mutex
	data []byte
	lose func(off int64) bool
}

func (m *memory) ReadAt(p []byte, off int64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return copy(p, m.data[off:]), nil
}

func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lose == nil || !m.lose(off) {
		copy(m.data[off:], p)
	}
	return len(p), nil
}

func (m *memory) Flush() error { return nil }

const memorySize = 16 << 20

// play runs n steps and verifies. It returns the number of mismatches.
func play(t *testing.T, m *memory, n int) uint64 {
	t.Helper()
	l := newLoad(m, memorySize)
	rng, buf := rand.New(rand.NewPCG(1, 2)), make([]byte, demoMaxIO)
	for range n {
		if err := l.step(rng, buf); err != nil {
			t.Fatal(err)
		}
	}
	blocks, err := l.verify(t.Context())
	if err != nil || blocks != memorySize/demoBlock {
		t.Fatalf("verified %d blocks, %v", blocks, err)
	}
	return l.mismatches.Load()
}

func TestLoadFindsALostWrite(t *testing.T) {
	if n := play(t, &memory{data: make([]byte, memorySize)}, 500); n != 0 {
		t.Errorf("%d mismatches on a good device", n)
	}
	lost := false
	bad := &memory{data: make([]byte, memorySize), lose: func(int64) bool {
		first := !lost
		lost = true
		return first
	}}
	if n := play(t, bad, 5); n == 0 {
		t.Error("a lost write was not found")
	}
}

func TestLoadFindsOneWrongByte(t *testing.T) {
	m := &memory{data: make([]byte, memorySize)}
	l := newLoad(m, memorySize)
	rng, buf := rand.New(rand.NewPCG(3, 4)), make([]byte, demoMaxIO)
	for range 200 {
		if err := l.step(rng, buf); err != nil {
			t.Fatal(err)
		}
	}
	m.data[777*demoBlock+99] ^= 1
	if _, err := l.verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, at := l.mismatches.Load(), l.firstBad.Load(); n != 1 || at != 777*demoBlock {
		t.Errorf("got %d mismatches, the first at %d, want 1 at %d", n, at, 777*demoBlock)
	}
}

// TestLoadInParallel has the claims keep the requests apart.
func TestLoadInParallel(t *testing.T) {
	m := &memory{data: make([]byte, memorySize)}
	l := newLoad(m, memorySize)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := l.run(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := l.verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := l.mismatches.Load(); n != 0 {
		t.Errorf("%d mismatches on a good device", n)
	}
}
