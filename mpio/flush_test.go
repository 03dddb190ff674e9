package mpio

import (
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
)

// TestFlushWithoutCache completes by itself, later, and asks no device.
func TestFlushWithoutCache(t *testing.T) {
	info := testInfo()
	info.WriteCache = false
	g := newRigDown(t, 2, Config{})
	g.paths[0].up(info)
	g.paths[1].up(info)
	g.wantOK(g.writeNow())
	c := g.flush()
	g.wantPending(c)
	g.turn()
	g.wantOK(c)
	for _, p := range g.paths {
		for _, op := range p.seen {
			if op == blockdev.Flush {
				t.Error("a device without a cache was asked to flush")
			}
		}
	}
}

// TestOneCacheIsEnough asks the device if a single path knows of a cache.
func TestOneCacheIsEnough(t *testing.T) {
	without := testInfo()
	without.WriteCache = false
	g := newRigDown(t, 2, Config{})
	g.paths[0].up(without)
	g.paths[1].up(testInfo())
	g.wantOK(g.flush2()...)
	if len(g.paths[0].seen)+len(g.paths[1].seen) != 2 {
		t.Error("the FLUSHes were not sent")
	}
}

func (g *rig) flush2() []*call {
	cs := []*call{g.flush(), g.flush()}
	g.settle()
	return cs
}

var lossErrors = map[string]*blockdev.Error{"reset": senseError(keyAttention, 0x29, 0), "deferred": deferredError()}

func TestLossFailsNextFlushOnce(t *testing.T) {
	for name, loss := range lossErrors {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, 2, Config{})
			g.wantOK(g.writeNow())
			g.failOnce(loss)
			r := g.read()
			g.settle()
			g.wantOK(r)
			first, second := g.flush(), (*call)(nil)
			g.settle()
			second = g.flush()
			g.settle()
			g.want(first, blockdev.CodeIO, blockdev.Failed)
			g.wantOK(second)
		})
	}
}

// TestLossFailsFlushesUnderWay has two FLUSHes in flight when the loss shows: neither may succeed.
func TestLossFailsFlushesUnderWay(t *testing.T) {
	g := newRig(t, 1, Config{})
	g.wantOK(g.writeNow())
	p := g.paths[0]
	p.hold = true
	a, b := g.flush(), g.flush()
	r := g.read()
	g.settle()
	p.script = []error{senseError(keyAttention, 0x29, 0)}
	p.pend[0], p.pend[2] = p.pend[2], p.pend[0]
	p.release()
	g.settle()
	g.wantOK(r)
	g.want(a, blockdev.CodeIO, blockdev.Failed)
	g.want(b, blockdev.CodeIO, blockdev.Failed)
	g.wantOK(g.flush2()...)
}

func TestResetWithNothingUnflushed(t *testing.T) {
	g := newRig(t, 2, Config{})
	g.wantOK(g.writeNow())
	g.wantOK(g.flush2()...)
	fua := &call{Request: blockdev.Request{Op: blockdev.Write, Flags: blockdev.FlagFUA, Length: 512, Data: []blockdev.Segment{blockdev.Own(zeroes[:512])}}}
	g.start(fua)
	g.settle()
	g.wantOK(fua)
	g.failOnce(senseError(keyAttention, 0x29, 0))
	g.wantOK(g.readNow())
	g.wantOK(g.flush2()...)
}

func (g *rig) readNow() *call {
	c := g.read()
	g.settle()
	return c
}

// TestResetWithWriteInFlight has a write in the device's cache whose answer comes after the reset showed.
func TestResetWithWriteInFlight(t *testing.T) {
	g := newRig(t, 1, Config{})
	p := g.paths[0]
	p.hold = true
	w, r := g.write(), g.read()
	g.settle()
	p.script = []error{senseError(keyAttention, 0x29, 0)}
	p.pend[0], p.pend[1] = p.pend[1], p.pend[0]
	p.release()
	g.settle()
	g.wantOK(w, r)
	c := g.flush()
	g.settle()
	g.want(c, blockdev.CodeIO, blockdev.Failed)
}

// TestFlushCoversOnlyWhatWasComplete has a write that completes while a FLUSH is under way: it is still unflushed afterwards.
func TestFlushCoversOnlyWhatWasComplete(t *testing.T) {
	g := newRig(t, 1, Config{})
	g.wantOK(g.writeNow())
	p := g.paths[0]
	p.hold = true
	f, w := g.flush(), g.write()
	g.settle()
	p.pend[0], p.pend[1] = p.pend[1], p.pend[0] // the write is answered first
	p.release()
	g.settle()
	g.wantOK(f, w)
	g.failOnce(senseError(keyAttention, 0x29, 0))
	g.wantOK(g.readNow())
	c := g.flush()
	g.settle()
	g.want(c, blockdev.CodeIO, blockdev.Failed)
}

// TestFailedFlushFailsItsSiblings: a device may forget an error that it has reported once.
func TestFailedFlushFailsItsSiblings(t *testing.T) {
	g := newRig(t, 2, Config{})
	g.wantOK(g.writeNow())
	g.failOnce(senseError(keyMedium, 0x0C, 0))
	for _, c := range g.flush2() {
		g.want(c, blockdev.CodeIO, blockdev.Failed)
	}
	g.wantOK(g.flush2()...)
}

func TestFlushWithUnknownOutcomeIsRetried(t *testing.T) {
	g := newRig(t, 2, Config{})
	g.wantOK(g.writeNow())
	for _, p := range g.paths {
		p.hold = true
	}
	c := g.flush()
	g.settle()
	has, other := g.paths[0], g.paths[1]
	if len(has.pend) == 0 {
		has, other = other, has
	}
	has.down()
	other.release()
	g.advance(time.Second)
	g.wantOK(c)
}

// TestFlushThatFailsOnItsSecondPathFailsItsSiblings: what the first path left unknown does not make the device's answer less of one.
func TestFlushThatFailsOnItsSecondPathFailsItsSiblings(t *testing.T) {
	g := newRig(t, 2, Config{})
	g.wantOK(g.writeNow())
	g.paths[0].hold, g.paths[1].hold = true, true
	first := g.flush()
	g.settle()
	has, other := g.paths[0], g.paths[1]
	if len(has.pend) == 0 {
		has, other = other, has
	}
	other.script = []error{senseError(keyMedium, 0x0C, 0)}
	has.down()
	g.settle()
	second := g.flush()
	g.settle()
	other.release()
	g.settle()
	g.want(first, blockdev.CodeIO, blockdev.Unknown)
	g.want(second, blockdev.CodeIO, blockdev.Failed)
	g.wantOK(g.flush2()...)
}

// TestCacheLost: a storage that was without power may have lost what it had completed. The next FLUSH must not say that all is well.
func TestCacheLost(t *testing.T) {
	g := newRig(t, 2, Config{})
	lose := func() { g.paths[0].w.CacheLost(errCut) }
	lose()
	g.wantOK(g.flush2()...) // nothing was written: nothing is lost
	g.wantOK(g.writeNow())
	lose()
	for _, c := range g.flush2() {
		g.want(c, blockdev.CodeIO, blockdev.Failed)
	}
	g.wantOK(g.flush2()...) // it has been told
	g.wantOK(g.writeNow())
	g.wantOK(g.flush2()...)
	lose()
	g.wantOK(g.flush2()...) // what was flushed before is safe
}
