package sim

import (
	"context"
	"errors"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev/loop"
)

func TestVirtualTime(t *testing.T) {
	w := New(1)
	start := w.Time()
	l := w.NewLoop(loop.Config{})
	var fired []time.Duration
	var tick *loop.Timer
	tick = l.NewTimer(func() {
		if fired = append(fired, w.Time().Sub(start)); len(fired) < 3 {
			tick.Reset(time.Hour)
		}
	})
	tick.Reset(time.Hour)
	if err := w.Run(func() bool { return len(fired) == 3 }, 4*time.Hour); err != nil {
		t.Fatal(err)
	}
	for i, at := range fired {
		if want := time.Duration(i+1) * time.Hour; at != want {
			t.Errorf("tick %d: got %v, want %v", i, at, want)
		}
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

func TestLimit(t *testing.T) {
	w := New(1)
	defer w.Close()
	w.Go(func() { w.Sleep(time.Hour) })
	err := w.Run(func() bool { return false }, time.Minute)
	if !errors.Is(err, ErrLimit) {
		t.Errorf("got %v, want ErrLimit", err)
	}
	if got := w.Time().Sub(epoch); got != time.Minute {
		t.Errorf("stopped after %v, want a minute", got)
	}
}

func waitForGodot(w *World) { w.NewGate().Wait() }

func TestDeadlockTellsWhoWaits(t *testing.T) {
	w := New(1)
	unwound := false
	w.Go(func() {
		defer func() { unwound = true }()
		waitForGodot(w)
	})
	err := w.Do(func() {
		ln, _ := w.Listen(portal)
		_, _ = ln.Accept()
	})
	var stuck *StuckError
	if !errors.As(err, &stuck) || !errors.Is(err, ErrDeadlock) {
		t.Fatalf("got %v, want ErrDeadlock", err)
	}
	for _, want := range []string{"wait at a gate", "waitForGodot", "accept " + portal, "world_test.go"} {
		if !strings.Contains(stuck.Dump, want) {
			t.Errorf("the dump lacks %q:\n%s", want, stuck.Dump)
		}
	}
	err = w.Close()
	if err == nil || strings.Count(err.Error(), "left") != 3 {
		t.Errorf("Close: got %v, want two tasks and a listener", err)
	}
	if !unwound {
		t.Error("Close did not run the deferred calls of a parked task")
	}
}

func TestLivelock(t *testing.T) {
	w := New(1)
	defer w.Close()
	err := w.Do(func() {
		for {
			w.Sleep(0)
		}
	})
	if !errors.Is(err, ErrLivelock) {
		t.Errorf("got %v, want ErrLivelock", err)
	}
}

// TestNoEndOfSteps: time moves, but by so little that no limit of time would be reached.
func TestNoEndOfSteps(t *testing.T) {
	w := New(1)
	defer w.Close()
	w.MaxSteps = 10000
	err := w.Do(func() {
		for {
			_, _ = w.Dial(context.Background(), "", portal)
		}
	})
	if !errors.Is(err, ErrLivelock) {
		t.Errorf("got %v, want ErrLivelock", err)
	}
}

func TestTrace(t *testing.T) {
	w := New(1)
	var b strings.Builder
	w.Trace = &b
	echoes(t, w, 100)
	w.Link(portal).Stall()
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"goes on", "turn 0", "DATA", "FIN", portal, "stalled"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the trace lacks %q:\n%s", want, b.String())
		}
	}
}

func TestCloseReportsConnections(t *testing.T) {
	w := New(1)
	do(t, w, func() { connected(t, w) })
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), "left open: connection") {
		t.Errorf("got %v, want the connection", err)
	}
}

// TestCloseUnwindsThroughBlockingDefers: deferred calls that would park end as well.
func TestCloseUnwindsThroughBlockingDefers(t *testing.T) {
	w := New(1)
	steps := 0
	w.Go(func() {
		defer func() { steps++ }()
		defer w.Sleep(time.Hour)
		defer func() { steps++; w.NewGate().Wait(); steps += 100 }()
		w.NewGate().Wait()
	})
	w.Go(func() { w.Go(func() {}); w.NewGate().Wait() })
	if err := w.Run(func() bool { return false }, time.Second); !errors.Is(err, ErrDeadlock) {
		t.Fatalf("got %v, want ErrDeadlock", err)
	}
	if err := w.Close(); err == nil {
		t.Error("Close did not report the tasks")
	}
	if steps != 2 {
		t.Errorf("%d deferred steps, want 2", steps)
	}
}

func TestPanicKeepsItsStack(t *testing.T) {
	w := New(1)
	defer w.Close()
	defer func() {
		s, _ := recover().(string)
		if !strings.Contains(s, "the reason") || !strings.Contains(s, "TestPanicKeepsItsStack") {
			t.Errorf("got %q", s)
		}
	}()
	_ = w.Do(func() { panic("the reason") })
}

func TestLoopsMustNotBlock(t *testing.T) {
	w := New(1)
	defer w.Close()
	l := w.NewLoop(loop.Config{})
	l.Post(func() { w.Sleep(time.Second) })
	defer func() {
		if recover() == nil {
			t.Error("a loop slept")
		}
	}()
	_ = w.Do(func() { w.Sleep(time.Minute) })
}

func TestRunOnTheWorldsLoopFails(t *testing.T) {
	w := New(1)
	defer w.Close()
	if err := w.NewLoop(loop.Config{}).Run(); !errors.Is(err, errBlocking) {
		t.Errorf("got %v, want %v", err, errBlocking)
	}
}

func TestStoppedLoop(t *testing.T) {
	w := New(1)
	l := w.NewLoop(loop.Config{})
	do(t, w, func() {
		l.Stop()
		w.Sleep(time.Second)
		if err := l.Await(func(func()) {}); err != loop.ErrStopped {
			t.Errorf("got %v, want ErrStopped", err)
		}
	})
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

func TestPause(t *testing.T) {
	w := New(1)
	l := w.NewLoop(loop.Config{})
	do(t, w, func() {
		start := w.Time()
		w.Pause(l, time.Minute)
		if err := l.Await(func(done func()) { done() }); err != nil {
			t.Fatal(err)
		}
		if got := w.Time().Sub(start); got != time.Minute {
			t.Errorf("a paused loop answered after %v, want a minute", got)
		}
	})
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

func TestAdoptRefusesForeigners(t *testing.T) {
	w, other := New(1), New(2)
	defer other.Close()
	l := w.NewLoop(loop.Config{})
	do(t, w, func() {
		foreign, _ := other.Pair()
		real, peer := net.Pipe()
		defer peer.Close()
		_ = l.Await(func(done func()) {
			for _, c := range []net.Conn{foreign, real} {
				if _, err := l.Adopt(c, &echo{}); err == nil {
					t.Errorf("a %T was adopted", c)
				}
			}
			done()
		})
		own, end := w.Pair()
		e := &echo{}
		adopt(t, l, own, e, &e.watch)
		if _, err := own.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read of an adopted connection: got %v, want net.ErrClosed", err)
		}
		_ = end.Close()
	})
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

// TestLateMail: a gate opened by package context's own goroutine ends a wait that nothing else could.
func TestLateMail(t *testing.T) {
	w := New(1)
	do(t, w, func() {
		ctx, cancel := context.WithCancel(context.Background())
		g := w.NewGate()
		context.AfterFunc(ctx, g.Open)
		cancel()
		g.Wait()
	})
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

// TestGoexitLeavesDo: the end of a test in a task, which t.FailNow brings about with Goexit, ends whoever called Do as well.
func TestGoexitLeavesDo(t *testing.T) {
	w := New(1)
	done, returned := make(chan struct{}), false
	go func() {
		defer close(done)
		_ = w.Do(runtime.Goexit)
		returned = true
	}()
	<-done
	if returned {
		t.Error("Do returned")
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

func BenchmarkEchoSchedule(b *testing.B) {
	for seed := range uint64(b.N) {
		w := New(seed)
		l := w.NewLoop(loop.Config{})
		err := w.Do(func() {
			ln, _ := w.Listen(portal)
			c, err := w.Dial(context.Background(), "", portal)
			if err != nil {
				panic(err)
			}
			s, _ := ln.Accept()
			_ = ln.Close()
			e := &echo{}
			_ = l.Await(func(done func()) { e.watch, _ = l.Adopt(s, e); done() })
			var buf [256]byte
			for range 10 {
				_, _ = c.Write(buf[:])
				for got := 0; got < len(buf); {
					n, err := c.Read(buf[got:])
					if err != nil {
						panic(err)
					}
					got += n
				}
			}
			_ = c.Close()
		})
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
