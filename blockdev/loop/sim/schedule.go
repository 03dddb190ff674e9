package sim

import (
	"fmt"
	"time"
)

// One step of the world:
//
//  1. mail: gates opened and loops woken since the last step
//  2. contexts of dials that have ended
//  3. of what can be done now, the seed chooses one thing: an event that is due, a task that can go on, a loop that has work
//  4. if there is nothing, time goes on to the next event

// maxInstant is how many steps may happen at one instant before the world is taken to turn on the spot.
const maxInstant = 1 << 18

// runnable is what the scheduler can choose: a task or a loop.
type runnable interface {
	run()
	number() uint64
}

// Run lets the world go on until the predicate holds. It fails with a [StuckError] if that has not come within limit of virtual
// time, or cannot come any more. The predicate is asked after each step.
func (w *World) Run(until func() bool, limit time.Duration) error {
	w.enter()
	defer func() { w.running = false }()
	end := w.now + min(max(0, limit), never-w.now)
	for instant, since, steps := w.now, 0, 0; !until(); steps++ {
		if w.now != instant {
			instant, since = w.now, steps
		}
		if steps-since == maxInstant || steps >= w.MaxSteps {
			return w.fail(ErrLivelock)
		}
		if w.step() {
			continue
		}
		next := w.nextEvent()
		if next > end {
			if next == never && !w.lateMail() {
				return w.fail(ErrDeadlock)
			} else if next == never {
				continue
			}
			w.now = end
			return w.fail(ErrLimit)
		}
		w.now = next
	}
	return nil
}

func (w *World) enter() {
	switch {
	case w.closed:
		panic("sim: the world is closed")
	case w.running:
		panic("sim: Run and Do are not for tasks and loops")
	}
	w.running, w.stuck = true, false
}

// Do runs fn as a task and returns when it has ended: the usual body of a test. It fails as Run does, with w.Limit.
func (w *World) Do(fn func()) error {
	done := false
	w.spawn(func() { fn(); done = true }, 3)
	return w.Run(func() bool { return done }, w.Limit)
}

// step does one thing, and reports whether there was one to do at this instant.
func (w *World) step() bool {
	w.mail.read()
	w.pollContexts()
	due := w.nextEvent() <= w.now
	switch n := len(w.ready); {
	case n == 0 && !due:
		return false
	case n == 0 || due && w.rng.Uint64()&1 == 0:
		e := w.events[0]
		w.unset(e)
		w.hash.add(uint64(w.now))
		e.fire()
	default:
		i := w.rng.IntN(n)
		r := w.ready[i]
		w.ready[i] = w.ready[n-1]
		w.ready[n-1] = nil
		w.ready = w.ready[:n-1]
		w.hash.add(r.number())
		r.run()
	}
	return true
}

// lateMail gives threads that are not the world's, such as those of package context, a moment to bring what only they can.
func (w *World) lateMail() bool {
	for range 20 {
		if w.mail.some.Load() {
			return true
		}
		time.Sleep(time.Millisecond / 2)
	}
	return false
}

// fail notes that the world is stuck and describes it.
func (w *World) fail(reason error) error {
	w.stuck = true
	return &StuckError{Reason: reason, Seed: w.seed, After: w.now, Dump: w.Dump()}
}

func (w *World) String() string { return fmt.Sprintf("world %d at %v", w.seed, w.now) }
