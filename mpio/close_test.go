package mpio

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
)

func newLoop(t testing.TB, env loop.Env) *loop.Loop {
	t.Helper()
	l, err := loop.New(loop.Config{Env: env})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// live is a volume over fake paths on a loop that runs by itself.
type live struct {
	rig
}

func newLive(t *testing.T, n int, cfg Config) *live {
	t.Helper()
	g := &live{rig{t: t, loop: newLoop(t, nil)}}
	ended := make(chan error, 1)
	go func() { ended <- g.loop.Run() }()
	t.Cleanup(func() {
		g.loop.Stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	var paths []Path
	for i := range n {
		p := &fakePath{name: fmt.Sprintf("path%d", i), loop: g.loop}
		g.paths, paths = append(g.paths, p), append(paths, p)
	}
	cfg.Name, cfg.Logger = "vol", quiet()
	var err error
	if g.dev, err = New(g.loop, cfg, paths...); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *live) on(fn func()) {
	g.t.Helper()
	if err := g.loop.Await(func(done func()) { fn(); done() }); err != nil {
		g.t.Fatal(err)
	}
}

func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func TestCloseDrains(t *testing.T) {
	g := newLive(t, 2, Config{})
	var cs []*call
	g.on(func() {
		for _, p := range g.paths {
			p.up(testInfo())
			p.hold = true
		}
		for range 20 {
			cs = append(cs, g.write())
		}
	})
	result := make(chan error, 1)
	go func() { result <- g.dev.Close(context.Background()) }()
	for refused := false; !refused; { // Close has begun
		c := (*call)(nil)
		g.on(func() { c = g.read() })
		g.on(func() { refused = c.done == 1 })
		if refused {
			g.want(c, blockdev.CodeShutdown, blockdev.NotSent)
		} else {
			cs = append(cs, c)
		}
	}
	g.on(func() {
		g.wantPending(cs...)
		for _, p := range g.paths {
			p.release()
		}
	})
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	if err := g.dev.Close(ended()); err != nil {
		t.Errorf("the second Close: %v", err)
	}
	g.on(func() {
		g.wantOK(cs...)
		g.wantIdle()
		for i, p := range g.paths {
			if !p.closed || g.states()[i] != StateClosed {
				t.Errorf("%s: closed %v, %v", p.name, p.closed, g.states()[i])
			}
		}
	})
}

// TestCloseGivesUp has requests stuck in a path, in the queue, and in a pause.
func TestCloseGivesUp(t *testing.T) {
	g := newLive(t, 2, Config{})
	var stuckWrite, stuckRead, pausing, trim *call
	g.on(func() {
		g.paths[0].up(testInfo())
		g.paths[0].hold = true
		stuckWrite, stuckRead = g.write(), g.read()
		trim = g.submit(blockdev.Trim, 1<<20, 8192)
		pausing = g.submit(blockdev.WriteZeroes, 0, 512)
	})
	g.on(func() {
		p := g.paths[0]
		r := p.pend[3]
		p.pend = p.pend[:3]
		r.Complete(statusError(statusBusy))
	})
	err := g.dev.Close(ended())
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of the context in it", err)
	}
	var u *UnknownExtentsError
	if !errors.As(err, &u) {
		t.Fatalf("got %v, want an *UnknownExtentsError", err)
	}
	if diff := cmp.Diff(u.Extents, []Extent{{4096, 4096}, {1 << 20, 8192}}); diff != "" || u.More != 0 {
		t.Errorf("%d more, %s", u.More, diff)
	}
	if !strings.Contains(err.Error(), "1048576+8192") {
		t.Errorf("%q does not name the extent", err)
	}
	g.on(func() {
		g.want(stuckWrite, blockdev.CodeShutdown, blockdev.Unknown)
		g.want(stuckRead, blockdev.CodeShutdown, blockdev.Unknown)
		g.want(trim, blockdev.CodeShutdown, blockdev.Unknown)
		g.want(pausing, blockdev.CodeShutdown, blockdev.Failed)
		g.wantIdle()
	})
}

// TestCloseWithoutPath has requests that wait for a path: one that was never sent, and many that may have been.
func TestCloseWithoutPath(t *testing.T) {
	g := newLive(t, 1, Config{})
	const many = maxExtents + 10
	var sent []*call
	var waiting *call
	g.on(func() {
		g.paths[0].up(testInfo())
		g.paths[0].hold = true
		for range many {
			sent = append(sent, g.write())
		}
	})
	g.on(func() {
		g.paths[0].down()
		waiting = g.write()
	})
	err := g.dev.Close(ended())
	var u *UnknownExtentsError
	if !errors.As(err, &u) || len(u.Extents) != maxExtents || u.More != many-maxExtents {
		t.Fatalf("got %v, want %d extents and %d more", err, maxExtents, many-maxExtents)
	}
	g.on(func() {
		for _, c := range sent {
			g.want(c, blockdev.CodeShutdown, blockdev.Unknown)
		}
		g.want(waiting, blockdev.CodeShutdown, blockdev.NotSent)
		g.wantIdle()
	})
}

func TestWaitReady(t *testing.T) {
	g := newLive(t, 2, Config{})
	g.on(func() { g.paths[0].w.PathDown(errCut) })

	err := g.dev.WaitReady(ended())
	var e *NoPathError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a *NoPathError", err)
	}
	want := &NoPathError{Volume: "vol", Err: context.Canceled, Paths: []PathError{{Path: "path0", State: StateDown, Err: errCut}, {Path: "path1", State: StateDown}}}
	if got, want := e.Error(), want.Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !errors.Is(err, context.Canceled) || !errors.Is(err, errCut) {
		t.Errorf("%v does not wrap its causes", err)
	}

	ready := make(chan error, 1)
	go func() { ready <- g.dev.WaitReady(context.Background()) }()
	g.on(func() { g.paths[1].up(testInfo()) })
	if err := <-ready; err != nil {
		t.Fatal(err)
	}
	if err := g.dev.WaitReady(ended()); err != nil {
		t.Errorf("with a path up: %v", err)
	}
	if err := g.dev.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// TestCloseEndsWaitReady closes a volume that somebody waits for.
func TestCloseEndsWaitReady(t *testing.T) {
	g := newLive(t, 1, Config{})
	ready := make(chan error, 1)
	go func() { ready <- g.dev.WaitReady(context.Background()) }()
	if err := g.dev.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	var e *NoPathError
	if err := <-ready; !errors.As(err, &e) {
		t.Errorf("got %v, want a *NoPathError", err)
	}
}

func TestStoppedLoop(t *testing.T) {
	l := newLoop(t, nil)
	d, err := New(l, Config{Logger: quiet()}, &fakePath{name: "p", loop: l})
	if err != nil {
		t.Fatal(err)
	}
	l.Stop()
	if err := l.Run(); err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]error{
		"Close":     d.Close(context.Background()),
		"WaitReady": d.WaitReady(context.Background()),
	} {
		if !errors.Is(got, loop.ErrStopped) {
			t.Errorf("%s: got %v, want %v", name, got, loop.ErrStopped)
		}
	}
	if _, err := New(l, Config{}, &fakePath{loop: l}); !errors.Is(err, loop.ErrStopped) {
		t.Errorf("New: got %v, want %v", err, loop.ErrStopped)
	}
}

func TestConfig(t *testing.T) {
	l := newLoop(t, &world{})
	one := []Path{&fakePath{loop: l}}
	for _, tt := range []struct {
		cfg   Config
		paths []Path
	}{
		{Config{}, nil},
		{Config{}, make([]Path, MaxPaths+1)},
		{Config{RoundRobin: RoundRobin{BatchRequests: -1}}, one},
		{Config{FenceTimeout: -1}, one},
		{Config{RoundRobin: RoundRobin{BatchBytes: -1}}, one},
	} {
		if _, err := New(l, tt.cfg, tt.paths...); err == nil {
			t.Errorf("%+v with %d paths is taken", tt.cfg, len(tt.paths))
		}
	}
	if got := (Config{}).withDefaults(); *got.NoPathRetry != 120*time.Second || got.RoundRobin.BatchRequests != 16 {
		t.Errorf("defaults: %+v", got)
	}
}

func TestStats(t *testing.T) {
	g := newLive(t, 2, Config{})
	g.on(func() {
		g.paths[0].up(testInfo())
		g.write()
		g.read()
		g.paths[0].script = []error{nil, statusError(statusReservation)}
	})
	g.on(func() {})
	paths, err := g.dev.Paths()
	if err != nil {
		t.Fatal(err)
	}
	want := PathStats{}
	want.Ops[blockdev.Write] = OpStats{Requests: 1, Bytes: 4096}
	want.Ops[blockdev.Read] = OpStats{Requests: 1, Errors: 1}
	if diff := cmp.Diff(paths[0].Stats, want); diff != "" {
		t.Error(diff)
	}
	if paths[0].State != StateUp || paths[1].State != StateDown || paths[0].Path != "path0" {
		t.Errorf("got %+v", paths)
	}
	got := make(chan Status, 1)
	if !g.dev.Snapshot(func(s Status) { got <- s }) {
		t.Fatal("no snapshot")
	}
	if s := <-got; s.Volume != "vol" || s.Policy != "round_robin" || s.Requests != 0 {
		t.Errorf("got %+v", s)
	}
	if err := g.dev.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}
