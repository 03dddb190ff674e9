package loop

import (
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs a loop until the test ends.
func start(t *testing.T) *Loop {
	t.Helper()
	l, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- l.Run() }()
	t.Cleanup(func() {
		l.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l
}

func TestAwait(t *testing.T) {
	l := start(t)
	ran := false
	if err := l.Await(func(done func()) { ran = true; done() }); err != nil {
		t.Fatal(err)
	}
	if !ran {
		t.Error("Await returned before the function ran")
	}
}

func TestPostAfterStop(t *testing.T) {
	l, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	l.Stop()
	if err := l.Run(); err != nil {
		t.Fatal(err)
	}
	if l.Post(func() {}) {
		t.Error("a stopped loop took a post")
	}
	if err := l.Await(func(func()) {}); err != ErrStopped {
		t.Errorf("Await on a stopped loop: got %v, want %v", err, ErrStopped)
	}
}

// stages notes the order in which a turn runs what was added to it.
func TestStages(t *testing.T) {
	l := start(t)
	var got []string
	step := func(name string) Runner { return runnerFunc(func() { got = append(got, name) }) }
	err := l.Await(func(done func()) {
		l.AtEnd(runnerFunc(func() { got = append(got, "end"); done() }))
		l.Dirty(step("flush"))
		l.Later(step("deferred"))
		l.NewTimer(func() { got = append(got, "timer"); l.Later(step("deferred by the timer")) }).Reset(0)
		got = append(got, "post")
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"post", "deferred", "timer", "deferred by the timer", "flush", "end"}
	if len(got) != len(want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}

type runnerFunc func()

func (f runnerFunc) Run() { f() }

func TestTimersInOrder(t *testing.T) {
	l := start(t)
	var got []int
	fired := make(chan struct{})
	l.Post(func() {
		for i, d := range []time.Duration{30, 10, 20} {
			l.NewTimer(func() {
				got = append(got, i)
				if i == 0 {
					close(fired)
				}
			}).Reset(d * time.Millisecond)
		}
		stopped := l.NewTimer(func() { t.Error("a stopped timer fired") })
		stopped.Reset(5 * time.Millisecond)
		stopped.Stop()
	})
	<-fired
	if want := [3]int{1, 2, 0}; [3]int(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// echo sends back what it reads.
type echo struct {
	w   *Watch
	buf [512]byte
}

func (e *echo) Ready(Events) {
	n, err := e.w.Socket.Readv([][]byte{e.buf[:]})
	if err == ErrAgain {
		return
	}
	if err != nil {
		_ = e.w.Close()
		return
	}
	_, _ = e.w.Socket.Writev([][]byte{e.buf[:n]})
}

func TestAdoptEcho(t *testing.T) {
	l := start(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	e := &echo{}
	_ = l.Await(func(done func()) {
		if e.w, err = l.Adopt(s, e); err != nil {
			t.Error(err)
		}
		done()
	})
	for _, want := range []string{"one", "two"} {
		got := make([]byte, len(want))
		if _, err := c.Write([]byte(want)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(got); err != nil || string(got) != want {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
	}
	_ = l.Await(func(done func()) { _ = e.w.Abort(); done() })
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("read from an aborted connection succeeded")
	}
}

func TestTurnAllocatesNothing(t *testing.T) {
	l, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.poller.Close()
	tm := l.NewTimer(func() {})
	work := runnerFunc(func() {})
	var r Runner = work
	got := testing.AllocsPerRun(100, func() {
		l.Later(r)
		l.Dirty(r)
		l.AtEnd(r)
		tm.Reset(time.Hour)
		_ = l.Turn(false)
	})
	if got != 0 {
		t.Errorf("%v allocations a turn, want 0", got)
	}
}

// deaf is a handler that does not want to hear anything.
type deaf struct{ told chan Events }

func (d *deaf) Ready(ev Events) {
	select {
	case d.told <- ev:
	default: // told more often than anybody could want
	}
}

// TestHangUpDoesNotSpin: the kernel reports a hang-up even where nothing is asked for. A handler that waits for memory must not be
// called in every turn because its peer is gone.
func TestHangUpDoesNotSpin(t *testing.T) {
	l := start(t)
	dir := t.TempDir()
	ln, err := net.Listen("unix", dir+"/s")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := net.Dial("unix", dir+"/s")
	if err != nil {
		t.Fatal(err)
	}
	s, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	d := &deaf{told: make(chan Events, 1000)}
	var w *Watch
	_ = l.Await(func(done func()) {
		if w, err = l.Adopt(s, d); err != nil {
			t.Error(err)
		} else if err := w.Want(0); err != nil {
			t.Error(err)
		}
		done()
	})
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	for range 100 { // turns in which it could be told
		_ = l.Await(func(done func()) { done() })
	}
	if n := len(d.told); n > 2 {
		t.Errorf("told %d times in 100 turns of a hang-up", n)
	}
	_ = l.Await(func(done func()) { _ = w.Close(); done() })
}
