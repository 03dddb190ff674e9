package sim

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Why a world did not get where it was to go.
var (
	ErrLimit    = errors.New("the time limit passed")
	ErrDeadlock = errors.New("deadlock: nothing can happen any more")
	ErrLivelock = errors.New("livelock: too many steps, or time stands still")
)

// StuckError is what Run and Do fail with. errors.Is finds its reason: ErrLimit, ErrDeadlock or ErrLivelock.
type StuckError struct {
	Reason error
	Seed   uint64
	After  time.Duration // virtual time since the world began
	Dump   string        // what everything waits for
}

func (e *StuckError) Error() string {
	return fmt.Sprintf("sim: seed %d after %v: %v\n%s", e.Seed, e.After, e.Reason, e.Dump)
}

func (e *StuckError) Unwrap() error { return e.Reason }

// Dump describes what every task and loop waits for, the connections that are open, and the links that are not up.
func (w *World) Dump() string {
	var b strings.Builder
	w.takeStacks()
	for _, t := range w.tasks {
		fmt.Fprintf(&b, "%s\n%s", t, t.trace())
	}
	for _, t := range w.turners {
		fmt.Fprintf(&b, "%s: %s\n", t, t.state())
	}
	for _, c := range w.conns {
		fmt.Fprintf(&b, "%s\n", c)
	}
	for _, addr := range slices.Sorted(maps.Keys(w.links)) {
		if l := w.links[addr]; l.refuses || l.stalled != [2]bool{} {
			fmt.Fprintf(&b, "%s\n", l)
		}
	}
	return b.String()
}

// takeStacks has every parked task note where it is.
func (w *World) takeStacks() {
	w.dumping = true
	defer func() { w.dumping = false }()
	for _, t := range slices.Clone(w.tasks) {
		if t.doing != "" && t != w.current {
			t.glance()
		}
	}
}

// glance resumes a parked task for as long as it takes to note its stack.
func (t *task) glance() {
	current := t.w.current
	t.w.current = t
	t.resume()
	t.w.current = current
}

func (t *task) takeStack() {
	pcs := make([]uintptr, 32)
	t.stack = pcs[:runtime.Callers(2, pcs)]
}

func (t *task) String() string {
	state := t.doing
	switch {
	case state == "":
		state = "can run"
	case t.on != nil:
		state += " " + t.on.String()
	}
	if t.wake.pending() {
		state += " until " + t.wake.at.String()
	}
	f, _ := runtime.CallersFrames([]uintptr{t.origin}).Next()
	return fmt.Sprintf("task #%d (%s:%d): %s", t.id, filepath.Base(f.File), f.Line, state)
}

// trace is the stack without the simulation's own frames.
func (t *task) trace() string {
	var b strings.Builder
	frames := runtime.CallersFrames(t.stack)
	for more := len(t.stack) > 0; more; {
		var f runtime.Frame
		f, more = frames.Next()
		if !isOurs(f) {
			fmt.Fprintf(&b, "    %s\n        %s:%d\n", f.Function, f.File, f.Line)
		}
	}
	return b.String()
}

func isOurs(f runtime.Frame) bool {
	for _, prefix := range []string{"iter.", "runtime.", "github.com/hawser-storage/hawser/blockdev/loop/sim."} {
		if strings.HasPrefix(f.Function, prefix) {
			return !strings.HasSuffix(f.File, "_test.go")
		}
	}
	return false
}

func (t *turner) state() string {
	watched := 0
	for _, c := range t.w.conns {
		for _, e := range c.ends {
			if e.watch != nil && e.poller == t.poller {
				watched++
			}
		}
	}
	s := fmt.Sprintf("%d turns, %d sockets", t.loop.Turns(), watched)
	if t.due.pending() {
		s += ", timer at " + t.due.at.String()
	}
	if t.paused.pending() {
		s += ", paused until " + t.paused.at.String()
	}
	return s
}

func (c *connection) String() string {
	return fmt.Sprintf("connection %s: client %s, server %s", c.ends[0], c.ends[0].state(), c.ends[1].state())
}

func (e *end) state() string {
	s := "open"
	switch {
	case e.closed:
		s = "closed"
	case e.err != nil:
		s = "broken"
	}
	return fmt.Sprintf("%s (%d bytes to read, %d sent and not read)", s, e.in.unread(), e.out.used)
}
