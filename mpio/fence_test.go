package mpio

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
)

// orphaned is a rig on which a WRITE to 8192+4096 was sent by path 0, was lost there with an unknown outcome, and was completed by
// path 1.
func orphaned(t *testing.T) *rig {
	t.Helper()
	g := newRig(t, 2, Config{})
	g.paths[0].hold, g.paths[1].hold = true, true
	c := g.submit(blockdev.Write, 8192, 4096)
	g.settle()
	if len(g.paths[0].pend) == 0 {
		g.paths[0], g.paths[1] = g.paths[1], g.paths[0]
	}
	g.paths[1].hold = false
	g.paths[0].down()
	g.settle()
	g.wantOK(c) // at once: the data is the same
	return g
}

func TestNewerWriteWaitsForTheFence(t *testing.T) {
	for name, r := range map[string]blockdev.Request{
		"same":   {Op: blockdev.Write, Offset: 8192, Length: 4096},
		"first":  {Op: blockdev.Write, Offset: 4096, Length: 4096 + 512},
		"last":   {Op: blockdev.Write, Offset: 12288 - 512, Length: 512},
		"zeroes": {Op: blockdev.WriteZeroes, Offset: 0, Length: 1 << 20},
		"trim":   {Op: blockdev.Trim, Offset: 8192, Length: 512},
	} {
		t.Run(name, func(t *testing.T) {
			g := orphaned(t)
			x := g.submit(r.Op, r.Offset, r.Length)
			g.settle()
			g.wantPending(x)
			if s := g.dev.status(); s.Quarantined != 1 || s.Held != 1 {
				t.Errorf("quarantined %d, held %d, want 1 and 1", s.Quarantined, s.Held)
			}
			others := []*call{
				g.submit(blockdev.Write, 0, 4096), g.submit(blockdev.Write, 12288, 4096), // its neighbours
				g.submit(blockdev.Read, 8192, 4096), g.flush(),
			}
			g.settle()
			g.wantOK(others...)
			g.paths[0].up(testInfo())
			g.settle()
			g.paths[0].release()
			g.settle()
			g.wantOK(x)
			if s := g.dev.status(); s.Quarantined != 0 || s.Held != 0 {
				t.Errorf("after the fence: quarantined %d, held %d", s.Quarantined, s.Held)
			}
			g.wantIdle()
		})
	}
}

// TestProbeIsNoFence: a path that tells of itself again, without having logged in again, proves nothing.
func TestProbeIsNoFence(t *testing.T) {
	g := newRig(t, 2, Config{})
	for _, p := range g.paths {
		p.script = []error{transportError(blockdev.Unknown)} // although the path stays up
	}
	c := g.submit(blockdev.Write, 8192, 4096)
	g.advance(time.Second)
	g.wantOK(c)
	for i, p := range g.paths {
		if got, want := g.dev.status().Quarantined, 2-i; got != want {
			t.Fatalf("quarantined %d, want %d", got, want)
		}
		p.up(testInfo())
		g.settle()
		if got, want := g.dev.status().Quarantined, 2-i; got != want {
			t.Errorf("a probe ended the quarantine")
		}
		p.down()
		p.up(testInfo())
		g.settle()
	}
	if got := g.dev.status().Quarantined; got != 0 {
		t.Errorf("%d in quarantine after both paths have logged in", got)
	}
}

func TestFenceTimeout(t *testing.T) {
	g := orphaned(t)
	x := g.submit(blockdev.Write, 8192, 4096)
	g.advance(DefaultFenceTimeout - time.Second)
	g.wantPending(x)
	g.advance(time.Second)
	g.wantOK(x)
	g.wantIdle()
}

// TestConcurrentWriteIsSentAgain: a write that overlaps the orphan and was in flight beside it may be undone as well, so its success
// counts only behind the fence.
func TestConcurrentWriteIsSentAgain(t *testing.T) {
	g := newRig(t, 2, Config{})
	g.paths[0].hold, g.paths[1].hold = true, true
	a := g.submit(blockdev.Write, 8192, 4096)
	g.turn()
	b := g.submit(blockdev.Write, 8192, 8192)
	g.settle()
	if len(g.paths[0].pend) != 1 || len(g.paths[1].pend) != 1 {
		t.Fatal("the two do not go by two paths")
	}
	first, second := g.paths[0], g.paths[1]
	second.hold = false
	first.down()
	second.release()
	g.settle()
	done := a.done + b.done
	if done != 1 {
		t.Fatalf("%d of the two writes were completed before the fence, want the orphan's own alone", done)
	}
	first.hold = false
	first.up(testInfo())
	g.settle()
	g.wantOK(a, b)
	g.wantIdle()
}

// TestReadWaitsWhereAWriteFailed: the host was told that a write failed; a READ must not show the old data now and the new later.
func TestReadWaitsWhereAWriteFailed(t *testing.T) {
	wait := 10 * time.Second
	g := newRig(t, 1, Config{NoPathRetry: &wait})
	g.paths[0].hold = true
	w := g.submit(blockdev.Write, 8192, 4096)
	g.settle()
	g.paths[0].down()
	g.advance(wait)
	g.want(w, blockdev.CodeNoPath, blockdev.Unknown)
	g.paths[0].hold = false
	// Another path to the same device would be up first; this one's login is the fence, so look at the quarantine itself.
	r := &attempt{dev: g.dev, req: &blockdev.Request{Op: blockdev.Read, Offset: 8192, Length: 512}}
	if !g.dev.quarantine.stops(r) {
		t.Error("a READ of a block whose write has failed does not wait")
	}
	g.paths[0].up(testInfo())
	g.settle()
	if g.dev.quarantine.stops(r) {
		t.Error("it waits behind the fence")
	}
	c := g.read()
	g.settle()
	g.wantOK(c)
	g.wantIdle()
}

// TestHeldRequestsEndWithThePaths: who waits for a fence does not wait longer than for a path, and not beyond Close.
func TestHeldRequestsEndWithThePaths(t *testing.T) {
	g := orphaned(t)
	x := g.submit(blockdev.Write, 8192, 4096)
	g.settle()
	g.wantPending(x)
	g.paths[1].down()
	g.advance(DefaultNoPathRetry)
	if x.done != 1 || x.err == nil {
		t.Errorf("completed %d times, %v, want an error", x.done, x.err)
	}
	g.wantIdle()
}

// beside is a rig on which two WRITEs that overlap went by two paths. The first one's path is down, so that it is an orphan and its
// retry is with the other path, and so is the second WRITE. That path completes nothing yet.
func beside(t *testing.T, cfg Config) (g *rig, orphan, second *call, other *fakePath) {
	t.Helper()
	g = newRig(t, 2, cfg)
	g.paths[0].hold, g.paths[1].hold = true, true
	orphan = g.submit(blockdev.Write, 8192, 4096)
	g.turn()
	lost := g.paths[0]
	if other = g.paths[1]; len(other.pend) > 0 {
		lost, other = other, lost
	}
	second = g.submit(blockdev.Write, 8192, 8192)
	g.settle()
	if len(lost.pend) != 1 || len(other.pend) != 1 {
		t.Fatal("the two do not go by two paths")
	}
	lost.down()
	g.settle()
	return g, orphan, second, other
}

// TestCloseEndsWhatSucceedsBesideAnOrphan: Close has given up when a write beside an orphan succeeds. There will be no fence behind
// which it could be sent again, so it ends, and its extent is named.
func TestCloseEndsWhatSucceedsBesideAnOrphan(t *testing.T) {
	g, _, b, other := beside(t, Config{})
	g.dev.giveUp()
	other.release()
	g.settle()
	g.want(b, blockdev.CodeShutdown, blockdev.Unknown)
	var unknown *UnknownExtentsError
	if err := g.dev.endClose(errCut); !errors.As(err, &unknown) || !slices.Contains(unknown.Extents, Extent{8192, 8192}) {
		t.Errorf("Close says %v, want the extent named", err)
	}
	if g.dev.quarantine.timer.Pending() {
		t.Error("the quarantine's timer outlives Close")
	}
	g.wantIdle()
}

// TestHeldAfterSuccessIsUnknown: a write that a path has carried out, and that never got behind the fence, was not "not sent".
func TestHeldAfterSuccessIsUnknown(t *testing.T) {
	g, a, b, other := beside(t, Config{NoPathRetry: new(10 * time.Second)})
	other.release()
	g.settle()
	g.wantOK(a)
	g.wantPending(b)
	other.down()
	g.advance(10 * time.Second)
	g.want(b, blockdev.CodeNoPath, blockdev.Unknown)
	g.wantIdle()
}

// TestProbeOfFailedPathIsNoFence: a path that was taken out of the choice is still connected, and what was sent by it may live
// until that connection ends.
func TestProbeOfFailedPathIsNoFence(t *testing.T) {
	g := newRig(t, 2, Config{})
	g.paths[0].hold, g.paths[1].hold = true, true
	w := g.submit(blockdev.Write, 8192, 4096)
	g.settle()
	m, other := g.dev.members[0], g.paths[1]
	if len(g.paths[0].pend) == 0 {
		m, other = g.dev.members[1], g.paths[0]
	}
	path := m.path.(*fakePath)
	other.hold = false
	m.fail(errCut)
	path.script = []error{transportError(blockdev.Unknown)}
	path.release()
	g.settle()
	g.wantOK(w)
	path.up(testInfo())
	g.settle()
	if got := g.dev.status().Quarantined; got != 1 {
		t.Errorf("%d in quarantine after a probe, want 1", got)
	}
	path.down()
	path.up(testInfo())
	g.settle()
	if got := g.dev.status().Quarantined; got != 0 {
		t.Errorf("%d in quarantine after a login, want 0", got)
	}
	g.wantIdle()
}

// TestCloseEndsWhatIsHeld: a newer write that waited for the fence when Close gave up was never sent, and so is not named.
func TestCloseEndsWhatIsHeld(t *testing.T) {
	g := orphaned(t)
	x := g.submit(blockdev.Write, 8192, 4096)
	g.settle()
	g.dev.giveUp()
	g.settle()
	g.want(x, blockdev.CodeShutdown, blockdev.NotSent)
	var unknown *UnknownExtentsError
	if err := g.dev.endClose(errCut); err == nil || errors.As(err, &unknown) {
		t.Errorf("Close says %v, want one request unfinished and no extent named", err)
	}
	g.wantIdle()
}
