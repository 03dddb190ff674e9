package mpio

import (
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
)

// TestInheritedWritesAreFenced: after a restart nothing is written before every path has reinstated its session; reads go on.
func TestInheritedWritesAreFenced(t *testing.T) {
	g := newRigDown(t, 2, Config{Inherited: true})
	g.paths[0].up(testInfo())
	w, r := g.submit(blockdev.Write, 0, 4096), g.submit(blockdev.Read, 0, 4096)
	z, f := g.submit(blockdev.WriteZeroes, 1<<20, 4096), g.flush()
	g.settle()
	g.wantOK(r, f)
	g.wantPending(w, z)
	g.paths[1].up(testInfo())
	g.settle()
	g.wantOK(w, z)
	g.wantIdle()
}

// TestInheritedPathThatDoesNotComeBack costs the fence's time, and no more.
func TestInheritedPathThatDoesNotComeBack(t *testing.T) {
	g := newRigDown(t, 2, Config{Inherited: true, FenceTimeout: 20 * time.Second})
	g.paths[0].up(testInfo())
	w := g.submit(blockdev.Write, 0, 4096)
	g.advance(19 * time.Second)
	g.wantPending(w)
	g.advance(time.Second)
	g.wantOK(w)
	g.wantIdle()
}

// TestInheritedWrongVolume: a path that leads elsewhere has reinstated nothing of ours.
func TestInheritedWrongVolume(t *testing.T) {
	g := newRigDown(t, 2, Config{Inherited: true})
	g.paths[0].up(testInfo())
	other := testInfo()
	other.Identity.ID = "naa.other"
	g.paths[1].up(other)
	w := g.submit(blockdev.Write, 0, 4096)
	g.settle()
	g.wantPending(w)
	g.advance(DefaultFenceTimeout)
	g.wantOK(w)
}

func TestVolumeGrows(t *testing.T) {
	var told []uint64
	g := newRig(t, 3, Config{Resized: func(size uint64) { told = append(told, size) }})
	large := testInfo()
	large.Size *= 2
	g.paths[2].down()
	g.paths[0].up(large)
	g.settle()
	if got := g.dev.Info().Size; got != testInfo().Size || g.paths[1].rescans != 1 || g.paths[2].rescans != 0 {
		t.Errorf("one path of two has grown: size %d, asked %d and %d times", got, g.paths[1].rescans, g.paths[2].rescans)
	}
	g.paths[1].up(large)
	g.settle()
	if got := g.dev.Info().Size; got != large.Size || len(told) != 1 || told[0] != large.Size {
		t.Errorf("size %d, told %v", got, told)
	}
	w := g.submit(blockdev.Write, testInfo().Size, 4096)
	g.settle()
	g.wantOK(w)
	g.paths[2].up(testInfo()) // still the old size: requests beyond it would fail there
	g.settle()
	if s := g.dev.status(); s.Paths[2].State != StateRefused {
		t.Errorf("a path to a smaller device is %v", s.Paths[2].State)
	}
	g.paths[2].up(large)
	g.settle()
	if s := g.dev.status(); s.Paths[2].State != StateUp || g.dev.Info().Size != large.Size || len(told) != 1 {
		t.Errorf("%v, size %d, told %v", s.Paths[2].State, g.dev.Info().Size, told)
	}
}

// TestCacheLostAcrossARestart: what a former process completed is flushed by this one. If the storage lost it between them, the FLUSH must
// not say that all is well.
func TestCacheLostAcrossARestart(t *testing.T) {
	for _, c := range []struct{ unflushed, cache, fails bool }{{true, true, true}, {true, false, false}, {false, true, false}} {
		g := newRigDown(t, 1, Config{Unflushed: c.unflushed})
		info := testInfo()
		info.WriteCache = c.cache
		f := g.flush()
		g.paths[0].w.CacheLost(errCut)
		g.paths[0].up(info)
		g.settle()
		if c.fails {
			g.want(f, blockdev.CodeIO, blockdev.Failed)
		} else {
			g.wantOK(f)
		}
		f = g.flush()
		g.settle()
		g.wantOK(f)
		g.wantIdle()
	}
}

// TestStrangeWritesAreFencedByTime: sessions of other names than the former process had prove nothing by logging in.
func TestStrangeWritesAreFencedByTime(t *testing.T) {
	g := newRigDown(t, 2, Config{Inherited: true, Strange: true})
	for _, p := range g.paths {
		p.up(testInfo())
	}
	w, r := g.submit(blockdev.Write, 0, 4096), g.submit(blockdev.Read, 0, 4096)
	g.settle()
	g.wantOK(r)
	g.advance(DefaultFenceTimeout - time.Second)
	g.wantPending(w)
	g.advance(time.Second)
	g.wantOK(w)
	g.wantIdle()
}
