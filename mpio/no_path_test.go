package mpio

import (
	"errors"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
)

func (g *rig) cutAll() {
	for _, p := range g.paths {
		p.down()
	}
	g.settle()
}

func TestNoPathWaits(t *testing.T) {
	g := newRig(t, 2, Config{})
	g.cutAll()
	var cs []*call
	for range 50 {
		cs = append(cs, g.write())
	}
	g.advance(DefaultNoPathRetry - time.Second)
	g.wantPending(cs...)
	g.paths[1].up(testInfo())
	g.settle()
	g.wantOK(cs...)
	g.wantIdle()
}

// TestNoPathKeepsOrder checks that what waited is submitted in order, and before what comes later in the same turn.
func TestNoPathKeepsOrder(t *testing.T) {
	g := newRig(t, 1, Config{})
	g.cutAll()
	g.paths[0].hold = true
	for i := range uint64(40) {
		g.submit(blockdev.Read, i*512, 512)
	}
	g.paths[0].up(testInfo())
	g.submit(blockdev.Read, 40*512, 512)
	g.settle()
	for i, r := range g.paths[0].pend {
		if r.Offset != uint64(i)*512 {
			t.Fatalf("place %d: got offset %d, want %d", i, r.Offset, i*512)
		}
	}
	g.paths[0].release()
	g.wantIdle()
}

func TestNoPathExpires(t *testing.T) {
	g := newRig(t, 2, Config{NoPathRetry: new(10 * time.Second)})
	g.paths[0].hold = true
	g.paths[1].hold = true
	sent := []*call{g.write(), g.write()}
	g.settle()
	g.cutAll() // both were sent
	late := g.write()
	g.advance(10*time.Second - time.Millisecond)
	g.wantPending(append(sent, late)...)
	g.advance(2 * time.Millisecond)
	for _, c := range sent {
		g.want(c, blockdev.CodeNoPath, blockdev.Unknown)
	}
	g.want(late, blockdev.CodeNoPath, blockdev.NotSent)
	var reasons *NoPathError
	if !errors.As(late.err, &reasons) || len(reasons.Paths) != 2 || !errors.Is(late.err, errCut) {
		t.Errorf("got %v, want the reason of each path", late.err)
	}

	atOnce := g.read()
	g.settle()
	g.want(atOnce, blockdev.CodeNoPath, blockdev.NotSent)

	g.paths[0].hold = false
	g.paths[0].up(testInfo())
	again := g.write()
	g.settle()
	g.wantOK(again)
	g.wantIdle()
}

func TestNoPathRetryZero(t *testing.T) {
	g := newRig(t, 2, Config{NoPathRetry: new(time.Duration(0))})
	g.paths[0].hold, g.paths[1].hold = true, true
	c := g.write()
	g.settle()
	g.cutAll()
	g.want(c, blockdev.CodeNoPath, blockdev.Unknown)
	d := g.write()
	g.settle()
	g.want(d, blockdev.CodeNoPath, blockdev.NotSent)
}

func TestNoPathForEver(t *testing.T) {
	g := newRig(t, 2, Config{NoPathRetry: new(time.Duration(-1))})
	g.cutAll()
	c := g.write()
	g.advance(1000 * time.Hour)
	g.wantPending(c)
	g.paths[0].up(testInfo())
	g.settle()
	g.wantOK(c)
}

// TestNoPathWithFlappingPath has a path that comes and goes faster than NoPathRetry and carries nothing: a request still ends.
func TestNoPathWithFlappingPath(t *testing.T) {
	g := newRig(t, 1, Config{NoPathRetry: new(30 * time.Second)})
	g.paths[0].hold = true
	c := g.write()
	for range 100 {
		g.advance(time.Second)
		g.paths[0].down()
		g.advance(time.Second)
		g.paths[0].up(testInfo())
		g.settle()
	}
	if c.done != 1 {
		t.Fatal("a request outlived NoPathRetry by far")
	}
	g.want(c, blockdev.CodeNoPath, blockdev.Unknown)
}

// TestEachWaitIsNew loses all paths, long after they had been gone for a moment.
func TestEachWaitIsNew(t *testing.T) {
	g := newRig(t, 1, Config{})
	g.cutAll()
	g.advance(time.Second)
	g.paths[0].up(testInfo())
	g.advance(2 * DefaultNoPathRetry)
	g.cutAll()
	c := g.write()
	g.advance(DefaultNoPathRetry - time.Second)
	g.wantPending(c)
}

// again is a front end that submits once more from Completed.
type again struct {
	call
	g    *rig
	left int
}

func (a *again) Completed(r *blockdev.Request, err error) {
	a.done, a.err = a.done+1, err
	if a.left > 0 {
		a.left--
		r.Push(a)
		a.g.dev.Submit(r)
	}
}

func TestSubmitFromCompleted(t *testing.T) {
	g := newRig(t, 1, Config{NoPathRetry: new(time.Duration(0))})
	g.cutAll()
	var as []*again
	for range 3 {
		a := &again{g: g, left: 5, call: call{Request: blockdev.Request{Op: blockdev.Flush}}}
		as = append(as, a)
		a.Push(a)
		g.dev.Submit(&a.Request)
	}
	g.settle()
	for _, a := range as {
		if a.done != 6 {
			t.Errorf("completed %d times, want 6", a.done)
		}
	}
	g.wantIdle()
}

// TestBeforeFirstPath submits before any path has ever been up.
func TestBeforeFirstPath(t *testing.T) {
	g := newRigDown(t, 2, Config{})
	if g.dev.Info() != nil {
		t.Error("Info before the first path is not nil")
	}
	cs := []*call{g.write(), g.flush()}
	g.settle()
	g.wantPending(cs...)
	g.paths[1].up(testInfo())
	g.settle()
	g.wantOK(cs...)
}

// TestNoPathWithTrials has a device that serves by no path any more, although all are connected. Their trials must not begin the wait anew.
func TestNoPathWithTrials(t *testing.T) {
	g := newRig(t, 2, Config{NoPathRetry: new(60 * time.Second)})
	for _, p := range g.paths {
		p.answer = func(*blockdev.Request) error { return senseError(keyIllegal, 0x25, 0) }
	}
	first := g.write()
	g.advance(60*time.Second - time.Millisecond)
	g.wantPending(first)
	g.advance(recheckMost)
	g.want(first, blockdev.CodeNoPath, blockdev.Failed)
	for range 10 {
		c := g.write()
		g.settle()
		if c.done != 1 || c.err == nil {
			t.Fatalf("completed %d times, %v, after the wait was over: want an error at once", c.done, c.err)
		}
		g.advance(7 * time.Second)
	}
	for _, p := range g.paths {
		p.answer = nil
	}
	g.advance(recheckMost)
	g.wantOK(g.writeNow())
	g.cutAll()
	c := g.write()
	g.advance(59 * time.Second)
	g.wantPending(c) // a wait of its own
}

func TestQueue(t *testing.T) {
	var q queue
	next, want := 0, 0
	all := make([]attempt, 1000)
	for round := range 100 {
		for range round%13 + 1 {
			if next < len(all) {
				q.push(&all[next])
				next++
			}
		}
		for range round % 11 {
			if q.len() > 0 {
				if got := q.pop(); got != &all[want] {
					t.Fatal("out of order")
				}
				want++
			}
		}
	}
	if q.len() != next-want {
		t.Errorf("length: got %d, want %d", q.len(), next-want)
	}
}
