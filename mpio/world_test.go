package mpio

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a loop.Env whose time only the test moves, for loops without sockets.
type world struct{ now time.Time }

func (w *world) Time() time.Time                 { return w.now }
func (w *world) Go(fn func())                    { go fn() }
func (w *world) NewGate() loop.Gate              { return loop.Real.NewGate() }
func (w *world) NewPoller() (loop.Poller, error) { return noSockets{}, nil }

type noSockets struct{}

func (noSockets) Adopt(net.Conn) (loop.Socket, error)                              { return nil, errors.New("no sockets here") }
func (noSockets) Watch(*loop.Watch, loop.Events) error                             { return nil }
func (noSockets) Forget(*loop.Watch)                                               {}
func (noSockets) Wake()                                                            {}
func (noSockets) Close() error                                                     { return nil }
func (noSockets) Wait(ready []*loop.Watch, _ time.Duration) ([]*loop.Watch, error) { return ready, nil }

// rig is a volume over fake paths on a loop that the test turns.
type rig struct {
	t     testing.TB
	world *world
	loop  *loop.Loop
	dev   *Device
	paths []*fakePath

	extents uint64 // written so far
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// newRig has n paths, which are all up.
func newRig(t testing.TB, n int, cfg Config) *rig {
	t.Helper()
	g := newRigDown(t, n, cfg)
	for _, p := range g.paths {
		p.up(testInfo())
	}
	g.settle()
	return g
}

func newRigDown(t testing.TB, n int, cfg Config) *rig {
	t.Helper()
	w := &world{now: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}
	l, err := loop.New(loop.Config{Env: w})
	if err != nil {
		t.Fatal(err)
	}
	g := &rig{t: t, world: w, loop: l}
	var paths []Path
	for i := range n {
		p := &fakePath{name: fmt.Sprintf("path%d", i), loop: l}
		g.paths = append(g.paths, p)
		paths = append(paths, p)
	}
	cfg.Name = "vol"
	if cfg.Logger == nil {
		cfg.Logger = quiet()
	}
	if g.dev, err = New(l, cfg, paths...); err != nil {
		t.Fatal(err)
	}
	g.settle()
	return g
}

func testInfo() *blockdev.Info {
	return &blockdev.Info{
		Size: 1 << 30, BlockSize: 512, WriteCache: true, FUA: true, Trim: true,
		Identity: blockdev.Identity{ID: "naa.60014051234", Serial: "S1", Vendor: "HAWSER", Product: "DISK"},
	}
}

func (g *rig) turn() {
	g.t.Helper()
	if err := g.loop.Turn(false); err != nil {
		g.t.Fatal(err)
	}
}

// settle turns the loop until it has nothing to do at once.
func (g *rig) settle() {
	g.t.Helper()
	g.turn()
	for n := 0; g.loop.Pending(); n++ {
		if n > 10000 {
			g.t.Fatal("the loop does not come to rest")
		}
		g.turn()
	}
}

// advance moves the time, timer by timer.
func (g *rig) advance(d time.Duration) {
	g.t.Helper()
	g.settle()
	end := g.world.now.Add(d)
	for {
		next, ok := g.loop.NextTimer()
		if !ok || next.After(end) {
			break
		}
		if next.After(g.world.now) {
			g.world.now = next
		}
		g.settle()
	}
	g.world.now = end
	g.settle()
}

// call is one request of the front end.
type call struct {
	blockdev.Request
	done   int
	err    error
	inside *bool // set while Submit runs
}

func (c *call) Completed(_ *blockdev.Request, err error) {
	if c.inside != nil && *c.inside {
		panic("completed inside Submit")
	}
	c.done, c.err = c.done+1, err
}

func (g *rig) submit(op blockdev.Op, off, length uint64) *call {
	c := &call{Request: blockdev.Request{Op: op, Offset: off, Length: length}}
	if op == blockdev.Write {
		c.Data = []blockdev.Segment{blockdev.Own(make([]byte, length))}
	}
	g.start(c)
	return c
}

func (g *rig) start(c *call) {
	inside := true
	c.inside = &inside
	c.Push(c)
	g.dev.Submit(&c.Request)
	inside = false
}

// write is a WRITE to an extent that no other one has.
func (g *rig) write() *call {
	g.extents++
	return g.submit(blockdev.Write, 4096*g.extents, 4096)
}

func (g *rig) read() *call  { return g.submit(blockdev.Read, 4096, 4096) }
func (g *rig) flush() *call { return g.submit(blockdev.Flush, 0, 0) }

// want checks that c is back, with this code and outcome.
func (g *rig) want(c *call, code blockdev.Code, outcome blockdev.Outcome) {
	g.t.Helper()
	if c.done != 1 {
		g.t.Fatalf("%s: completed %d times, want once", &c.Request, c.done)
	}
	var e *blockdev.Error
	if !errors.As(c.err, &e) {
		g.t.Fatalf("%s: got %v, want a *blockdev.Error", &c.Request, c.err)
	}
	if e.Code != code || e.Outcome != outcome {
		g.t.Errorf("%s: got %v, %v (%v), want %v, %v", &c.Request, e.Code, e.Outcome, e, code, outcome)
	}
}

func (g *rig) wantOK(cs ...*call) {
	g.t.Helper()
	for _, c := range cs {
		if c.done != 1 || c.err != nil {
			g.t.Fatalf("%s: completed %d times, %v, want once without an error", &c.Request, c.done, c.err)
		}
	}
}

func (g *rig) wantPending(cs ...*call) {
	g.t.Helper()
	for _, c := range cs {
		if c.done != 0 {
			g.t.Fatalf("%s: is back with %v, want it to wait", &c.Request, c.err)
		}
	}
}

// wantIdle checks that nothing is left inside.
func (g *rig) wantIdle() {
	g.t.Helper()
	s := g.dev.status()
	if s.Requests != 0 || s.Waiting != 0 {
		g.t.Errorf("%d requests are left inside, %d of them wait", s.Requests, s.Waiting)
	}
	for _, p := range s.Paths {
		if n := p.Stats.Total().InFlight; n != 0 {
			g.t.Errorf("%s: %d requests are in flight", p.Path, n)
		}
	}
}

func (g *rig) states() (s []State) {
	for _, m := range g.dev.members {
		s = append(s, m.state)
	}
	return s
}
