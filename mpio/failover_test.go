package mpio

import (
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
)

// TestFailover cuts the path that has a request. Each outcome of a broken way is retried on the other path at once.
func TestFailover(t *testing.T) {
	for _, outcome := range []blockdev.Outcome{blockdev.NotSent, blockdev.Failed, blockdev.Unknown} {
		for op := range blockdev.Op(blockdev.NumOps) {
			t.Run(outcome.String()+" "+op.String(), func(t *testing.T) {
				g := newRig(t, 2, Config{})
				g.wantOK(g.writeNow()) // something for FLUSH
				for _, p := range g.paths {
					p.hold = true
				}
				c := g.submit(op, 0, 512)
				g.settle()
				has, other := g.paths[0], g.paths[1]
				if len(has.pend) == 0 {
					has, other = other, has
				}
				other.hold = false
				has.downWith(transportError(outcome))
				g.settle()
				g.wantOK(c)
				if got := other.seen[len(other.seen)-1]; got != op {
					t.Errorf("the other path saw %v, want %v", got, op)
				}
				g.wantIdle()
				wantOrphans := uint64(0)
				if outcome == blockdev.Unknown && op.Modifies() {
					wantOrphans = 1
				}
				if got := g.dev.status().Orphans; got != wantOrphans {
					t.Errorf("%d orphans, want %d", got, wantOrphans)
				}
			})
		}
	}
}

// TestFailoverOfManyInOrder cuts a path with a deep queue: all of it goes on by the other one, once each.
func TestFailoverOfManyInOrder(t *testing.T) {
	g := newRig(t, 2, Config{})
	for _, p := range g.paths {
		p.hold = true
	}
	var cs []*call
	for range 200 {
		cs = append(cs, g.write())
	}
	g.settle()
	g.paths[0].down()
	g.settle()
	if got := len(g.paths[1].pend); got != len(cs) {
		t.Fatalf("the path that is left has %d requests, want %d", got, len(cs))
	}
	g.paths[1].release()
	g.wantOK(cs...)
	g.wantIdle()
}

func TestPathComesBack(t *testing.T) {
	g := newRig(t, 2, Config{})
	g.paths[0].down()
	g.settle()
	before := len(g.paths[0].seen)
	for range 10 {
		g.wantOK(g.writeNow())
	}
	if got := len(g.paths[0].seen); got != before {
		t.Errorf("a path that is down was given %d requests", got-before)
	}
	g.paths[0].up(testInfo())
	for range 10 {
		g.wantOK(g.writeNow())
	}
	if got := len(g.paths[0].seen) - before; got < 4 || got > 6 {
		t.Errorf("the path that came back carried %d of 10 requests, want about half", got)
	}
}

// TestStaleUp has a path that mpio takes for up, but that sends nothing: the other path carries everything, and with that gone too the
// request keeps trying without spinning, until NoPathRetry is over.
func TestStaleUp(t *testing.T) {
	g := newRig(t, 2, Config{})
	g.paths[0].isUp = false
	for range 10 {
		g.wantOK(g.writeNow())
	}
	g.paths[1].isUp = false
	c := g.write()
	turns := g.loop.Turns()
	g.advance(DefaultNoPathRetry - 2*time.Second)
	g.wantPending(c)
	if n := g.loop.Turns() - turns; n > 5000 {
		t.Errorf("%d turns in two minutes of waiting", n)
	}
	g.advance(4 * time.Second)
	g.want(c, blockdev.CodeTransport, blockdev.NotSent)
}

// TestWorstOutcomeCounts has a write that one path may have sent and another one failed for good.
func TestWorstOutcomeCounts(t *testing.T) {
	g := newRig(t, 2, Config{})
	for _, p := range g.paths {
		p.hold = true
	}
	c := g.write()
	g.settle()
	bad := &blockdev.Error{Outcome: blockdev.Failed, Code: blockdev.CodeNoSpace}
	for _, p := range g.paths {
		p.script = []error{bad}
	}
	if len(g.paths[0].pend) > 0 {
		g.paths[0].down()
	} else {
		g.paths[1].down()
	}
	for _, p := range g.paths {
		p.release()
	}
	g.settle()
	g.want(c, blockdev.CodeNoSpace, blockdev.Unknown)
}

// TestReadStartsAnew has a READ whose first path lent something before it failed.
func TestReadStartsAnew(t *testing.T) {
	g := newRig(t, 2, Config{})
	for _, p := range g.paths {
		p.answer = func(r *blockdev.Request) error {
			r.Data = append(r.Data, blockdev.Own(make([]byte, 100)))
			return transportError(blockdev.Unknown)
		}
	}
	c := g.read()
	g.turn()
	for _, p := range g.paths {
		p.answer = nil
	}
	g.advance(time.Second)
	g.wantOK(c)
	if got := blockdev.SegmentsLen(c.Data); got != c.Length {
		t.Errorf("%d bytes were lent, want %d", got, c.Length)
	}
}

// TestFailedPathIsTriedAgain has a path that answers that it cannot serve: it is left out for a while, longer each time.
func TestFailedPathIsTriedAgain(t *testing.T) {
	g := newRig(t, 2, Config{})
	g.paths[0].answer = func(*blockdev.Request) error { return senseError(keyNotReady, 4, 0x0B) }
	for _, want := range []time.Duration{recheckFirst, 2 * recheckFirst, recheckMost, recheckMost} {
		for range 10 {
			g.wantOK(g.writeNow())
		}
		if got := g.states()[0]; got != StateFailed {
			t.Fatalf("state: got %v, want failed", got)
		}
		g.advance(want - time.Millisecond)
		if got := g.states()[0]; got != StateFailed {
			t.Fatalf("state just before %v: got %v, want failed", want, got)
		}
		g.advance(2 * time.Millisecond)
		if got := g.states()[0]; got != StateUp {
			t.Fatalf("state after %v: got %v, want up", want, got)
		}
	}
	g.paths[0].answer = nil
	for range 4 {
		g.wantOK(g.writeNow())
	}
	if got := g.states()[0]; got != StateUp {
		t.Errorf("state after it served: got %v, want up", got)
	}
	g.paths[0].script = []error{senseError(keyNotReady, 4, 0x0B)}
	g.wantOK(g.writeNow(), g.writeNow())
	g.advance(recheckFirst + time.Millisecond)
	if got := g.states()[0]; got != StateUp {
		t.Errorf("state after the first pause of a path that had served: got %v, want up", got)
	}
}

// TestErrorsThatTakeTurns has errors of two rows, each of which is worth a retry at once: together they must neither spin nor last.
func TestErrorsThatTakeTurns(t *testing.T) {
	g := newRig(t, 2, Config{})
	n := 0
	for _, p := range g.paths {
		p.answer = func(*blockdev.Request) error {
			n++
			return []error{senseError(keyAttention, 0x28, 0), senseError(keyAttention, 0x2A, 1)}[n%2]
		}
	}
	c := g.write()
	g.settle()
	if n > freeRetries+1 {
		t.Errorf("%d tries in no time", n)
	}
	g.advance(patience + 2*time.Second)
	g.want(c, blockdev.CodeIO, blockdev.Failed)
	if n > 500 {
		t.Errorf("%d tries", n)
	}
}

// TestEachPathMayBeBusy gives each path the whole budget for BUSY.
func TestEachPathMayBeBusy(t *testing.T) {
	g := newRig(t, 2, Config{})
	for _, p := range g.paths {
		p.answer = func(*blockdev.Request) error { return statusError(statusBusy) }
	}
	c := g.write()
	g.advance(2*busyWindow - time.Second)
	g.wantPending(c)
	g.advance(2*busyPause.most + 2*time.Second)
	g.want(c, blockdev.CodeIO, blockdev.Failed)
}

// TestNoAnswerInTime has the only path that is up answer nothing for a while: the host sees no error while NoPathRetry lasts.
func TestNoAnswerInTime(t *testing.T) {
	slow := plainError(blockdev.Failed, blockdev.CodeTimeout)
	g := newRig(t, 2, Config{NoPathRetry: new(time.Minute)})
	g.paths[1].down()
	g.settle()
	g.paths[0].answer = func(*blockdev.Request) error { return slow }
	c := g.write()
	g.advance(50 * time.Second)
	g.wantPending(c)
	g.paths[0].answer = nil
	g.advance(2 * time.Second)
	g.wantOK(c)

	g.paths[0].answer = func(*blockdev.Request) error { return slow }
	c = g.write()
	g.advance(time.Minute + 2*time.Second)
	g.want(c, blockdev.CodeTimeout, blockdev.Failed)
	g.wantIdle()
}

// TestNoLuck has a request fail for much longer than any bound, by a path at a time, while others are carried: it is not given up.
// One that is the trouble itself is, after many tries.
func TestNoLuck(t *testing.T) {
	for name, every := range map[string]time.Duration{"no luck": time.Minute, "trouble": time.Second} {
		g := newRig(t, 2, Config{})
		g.cutAll()
		c := g.write()
		for age := time.Duration(0); age < 2*patience && c.done == 0; age += every {
			for _, p := range g.paths {
				p.answer = func(r *blockdev.Request) error {
					if r.Op == blockdev.Write {
						return transportError(blockdev.Unknown)
					}
					return nil
				}
				p.up(testInfo())
				r := g.submit(blockdev.Read, 1<<20, 4096)
				g.settle()
				g.wantOK(r)
				p.down()
				g.advance(every / 2)
			}
		}
		if name == "trouble" {
			g.want(c, blockdev.CodeTransport, blockdev.Unknown)
			continue
		}
		g.wantPending(c)
		g.paths[0].answer = nil
		g.paths[0].up(testInfo())
		g.advance(DefaultFenceTimeout)
		g.wantOK(c)
	}
}
