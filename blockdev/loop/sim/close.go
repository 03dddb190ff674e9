package sim

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// grace is the virtual time that Close gives to what is about to end by itself.
const grace = 10 * time.Second

// Close ends the world: it lets it go on until nothing is open, for at most 10 s of virtual time, then unwinds the tasks that are
// still parked (their deferred calls run), ends the loops, and returns an error that names each task, connection and listener
// that was left. Loops need not be stopped. After a Run that failed it does not let anything go on.
func (w *World) Close() error {
	if w.closed {
		return nil
	}
	if !w.stuck {
		// Whatever does not end is reported below.
		_ = w.Run(func() bool { return len(w.tasks) == 0 && len(w.conns) == 0 }, grace)
	}
	return w.tearDown()
}

func (w *World) tearDown() error {
	errs := w.leaks()
	w.closed = true
	for _, t := range slices.Clone(w.tasks) {
		errs = append(errs, t.end())
	}
	for _, t := range slices.Clone(w.turners) {
		t.loop.Stop()
		_, err := t.loop.Step()
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (w *World) leaks() (errs []error) {
	for _, t := range w.tasks {
		errs = append(errs, fmt.Errorf("sim: left at the end: %s", t))
	}
	for _, c := range w.conns {
		errs = append(errs, fmt.Errorf("sim: left open: %s", c))
	}
	for _, addr := range slices.Sorted(maps.Keys(w.listeners)) {
		errs = append(errs, fmt.Errorf("sim: left open: listener %s", addr))
	}
	return errs
}
