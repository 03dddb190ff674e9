package target

import (
	"bytes"
	"math/rand/v2"
	"path/filepath"
	"testing"
)

// TestMedia does the same random things to every medium that keeps data and to a slice.
func TestMedia(t *testing.T) {
	const size, block = 4 << 20, 512
	for _, spec := range []LUN{
		{Kind: KindRAM, Size: size, BlockSize: block, Thin: true},
		{Kind: KindRAM, Size: size, BlockSize: block},
		{Kind: KindRAM, Size: size, BlockSize: block, Thin: true, WriteCache: true, Volatile: true},
		{Kind: KindFile, Size: size, BlockSize: block, Path: filepath.Join(t.TempDir(), "disk"), Thin: true},
	} {
		l, err := newLUN(DefaultIQN, 0, spec)
		if err != nil {
			t.Fatal(err)
		}
		model := make([]byte, size)
		rnd := rand.New(rand.NewPCG(1, 2))
		for range 500 {
			off := rnd.Int64N(size/block) * block
			n := min(size-off, (1+rnd.Int64N(1<<rnd.IntN(12)))*block)
			step(t, rnd, l.medium, model, off, n)
		}
		got := make([]byte, size)
		if _, err := l.medium.ReadAt(got, 0); err != nil || !bytes.Equal(got, model) {
			t.Errorf("%s: the content is not what was written: %v", spec.Kind, err)
		}
		if err := l.medium.Close(); err != nil {
			t.Error(err)
		}
	}
}

func step(t *testing.T, rnd *rand.Rand, m medium, model []byte, off, n int64) {
	t.Helper()
	switch rnd.IntN(3) {
	case 0:
		for i := range n {
			model[off+i] = byte(rnd.Uint32())
		}
		if _, err := m.WriteAt(model[off:off+n], off); err != nil {
			t.Fatal(err)
		}
		if mapped, _ := m.Mapped(off); !mapped {
			t.Fatalf("%d is not mapped after it was written", off)
		}
	case 1:
		clear(model[off : off+n])
		if err := m.Zero(off, n, rnd.IntN(2) == 0); err != nil {
			t.Fatal(err)
		}
	case 2:
		got := make([]byte, n)
		if _, err := m.ReadAt(got, off); err != nil || !bytes.Equal(got, model[off:off+n]) {
			t.Fatalf("%d bytes at %d are not what was written: %v", n, off, err)
		}
		if mem, ok := m.(memory); ok && n <= maxLend && !bytes.Equal(mem.Lend(off, int(n)), got) {
			t.Fatalf("%d bytes lent at %d are not those that are read", n, off)
		}
	}
}

func TestMappedExtents(t *testing.T) {
	const block = 512
	m, err := newRAM(1000*block, block, true)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Close() }()
	data := make([]byte, 200*block)
	if _, err := m.WriteAt(data, 100*block); err != nil {
		t.Fatal(err)
	}
	if err := m.Zero(150*block, block, true); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		at     int64
		mapped bool
		n      int64
	}{{0, false, 100}, {99, false, 1}, {100, true, 50}, {150, false, 1}, {151, true, 149}, {300, false, 700}, {999, false, 1}} {
		mapped, n := m.Mapped(c.at * block)
		if mapped != c.mapped || n != c.n*block {
			t.Errorf("at block %d: got %v for %d blocks, want %v for %d", c.at, mapped, n/block, c.mapped, c.n)
		}
	}
}

// TestResizedMedium: what was cut off does not come back, up to the byte.
func TestResizedMedium(t *testing.T) {
	const block, full, half = 512, 800 * 512, 301 * 512
	for _, spec := range []LUN{
		{Kind: KindRAM, Size: full, BlockSize: block, Thin: true},
		{Kind: KindRAM, Size: full, BlockSize: block},
		{Kind: KindFile, Size: full, BlockSize: block, Path: filepath.Join(t.TempDir(), "disk")},
	} {
		l, err := newLUN(DefaultIQN, 0, spec)
		if err != nil {
			t.Fatal(err)
		}
		want := bytes.Repeat([]byte{7}, full)
		if _, err := l.medium.WriteAt(want, 0); err != nil {
			t.Fatal(err)
		}
		for _, size := range []uint64{half, full} {
			if err := l.resize(size); err != nil {
				t.Fatal(err)
			}
		}
		clear(want[half:])
		got := make([]byte, full)
		if _, err := l.medium.ReadAt(got, 0); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: half of it is not as it was and the rest zero: %v", spec.Kind, err)
		}
		if mapped, n := l.medium.Mapped(full - block); spec.Thin && (mapped || n != block) {
			t.Errorf("%s: the last of %d bytes is mapped: %v", spec.Kind, n, mapped)
		}
		if err := l.close(); err != nil {
			t.Error(err)
		}
		if l.resize(half) == nil {
			t.Errorf("%s: resized after it was closed", spec.Kind)
		}
	}
}

func TestFileSizes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk")
	open := func(size uint64, ro bool) error {
		l, err := newLUN(DefaultIQN, 0, LUN{Kind: KindFile, Path: path, Size: size, ReadOnly: ro})
		if err == nil {
			err = l.medium.Close()
		}
		return err
	}
	for _, c := range []struct {
		size uint64
		ro   bool
		ok   bool
	}{
		{0, false, false},         // it is not there
		{1 << 20, true, false},    // nor made for a reader
		{1 << 20, false, true},    // made
		{0, false, true},          // taken as it is
		{0, true, true},           //
		{1 << 10, false, false},   // would be cut
		{2 << 20, false, true},    // made longer
		{1<<20 + 1, false, false}, // no multiple of the block
	} {
		if err := open(c.size, c.ro); (err == nil) != c.ok {
			t.Errorf("size %d, read-only %v: %v", c.size, c.ro, err)
		}
	}
}

func TestIdentityIsStable(t *testing.T) {
	spec := LUN{Kind: KindNull, Size: 1 << 20, BlockSize: 512}
	make1 := func(iqn string, n int) *lun {
		l, err := newLUN(iqn, n, spec)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	a, b := make1("iqn.a", 0), make1("iqn.a", 0)
	if a.naa != b.naa || a.serial != b.serial || a.naa[0]>>4 != 6 {
		t.Errorf("two of the same: %x %s, %x %s", a.naa, a.serial, b.naa, b.serial)
	}
	for _, o := range []*lun{make1("iqn.a", 1), make1("iqn.b", 0)} {
		if a.naa == o.naa || a.serial == o.serial {
			t.Errorf("two that differ: both %x %s", a.naa, a.serial)
		}
	}
}
