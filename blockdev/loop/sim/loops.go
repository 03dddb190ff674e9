package sim

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hawser-storage/hawser/blockdev/loop"
)

// turner turns one loop.
type turner struct {
	w      *World
	id     uint64
	loop   *loop.Loop
	poller *poller
	due    event // the loop's next timer
	queued bool  // is on w.ready
	paused event
}

// NewLoop makes a loop in this world, which turns it whenever there is something to do: never call Run on it. cfg.Env is set.
func (w *World) NewLoop(cfg loop.Config) *loop.Loop {
	cfg.Env = w
	l, err := loop.New(cfg)
	if err != nil {
		panic(err) // the poller that it asks for is ours
	}
	t := &turner{w: w, id: w.id(), loop: l, poller: w.newborn}
	t.due.fire, t.paused.fire = t.schedule, t.schedule
	t.poller.turner, w.newborn = t, nil
	w.turners = append(w.turners, t)
	t.schedule()
	return l
}

// Pause keeps l from turning for d of virtual time, as a host does that has no CPU for it.
func (w *World) Pause(l *loop.Loop, d time.Duration) {
	for _, t := range w.turners {
		if t.loop == l {
			w.set(&t.paused, w.now+d)
		}
	}
}

func (t *turner) schedule() {
	if !t.queued && !t.paused.pending() {
		t.queued = true
		t.w.ready = append(t.w.ready, t)
	}
}

func (t *turner) run() {
	t.queued = false
	if t.paused.pending() {
		return // and its end will schedule it
	}
	t.w.trace(t, "turn", int(t.loop.Turns()))
	more, err := t.loop.Step()
	if err != nil {
		panic(err) // the poller that may fail is ours
	}
	if !more {
		t.gone()
		return
	}
	if t.loop.Pending() || t.poller.anyReady() {
		t.schedule()
	}
	t.followTimer()
}

// followTimer keeps the event at the time of the loop's next timer.
func (t *turner) followTimer() {
	at, ok := t.loop.NextTimer()
	switch next := since(at); {
	case !ok:
		t.w.unset(&t.due)
	case !t.due.pending() || t.due.at != next:
		t.w.set(&t.due, max(next, t.w.now))
	}
}

func (t *turner) gone() {
	t.w.unset(&t.due)
	t.w.unset(&t.paused)
	t.poller.turner = nil
	t.w.turners = slices.DeleteFunc(t.w.turners, func(o *turner) bool { return o == t })
}

func (t *turner) number() uint64 { return t.id }

func (t *turner) String() string { return fmt.Sprintf("loop #%d", t.id) }

var errBlocking = errors.New("sim: this world turns its loops itself: make them with World.NewLoop and do not call Run")
