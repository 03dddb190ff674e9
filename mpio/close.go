package mpio

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
)

// closing is how far Close has come.
type closing struct {
	refuse  bool // new requests are refused
	gaveUp  bool // nothing is retried any more
	drained loop.Gate
	failed  int // requests given up
	unknown UnknownExtentsError
}

// check opens the gate when the last request is gone.
func (c *closing) check(d *Device) {
	if c.drained != nil && d.busy == 0 {
		c.drained.Open()
	}
}

// Close implements [blockdev.Device]: it refuses new requests, waits for those that it has, by whatever path, and closes the paths.
//
// When ctx ends first it gives up. Every request completes with an error, and the error that Close returns says how many; if whether
// they were carried out is unknown for some that change the volume, it has an *UnknownExtentsError in its chain. A second Close
// returns what the first one did.
func (d *Device) Close(ctx context.Context) error {
	if d.closeBegun.Swap(true) {
		d.closed.Wait()
		return d.closeErr
	}
	d.closeErr = d.close(ctx)
	d.closed.Open()
	return d.closeErr
}

func (d *Device) close(ctx context.Context) error {
	drained := d.loop.Env().NewGate()
	if !d.loop.Post(func() { d.beginClose(drained) }) {
		return loop.ErrStopped
	}
	stop := context.AfterFunc(ctx, drained.Open)
	drained.Wait()
	stop()
	if err := d.onLoop(d.giveUp); err != nil {
		return err
	}
	pathErr := d.closePaths(ctx)
	var err error
	if stopped := d.onLoop(func() { err = d.endClose(context.Cause(ctx)) }); stopped != nil {
		return stopped
	}
	return errors.Join(err, pathErr)
}

func (d *Device) onLoop(fn func()) error {
	return d.loop.Await(func(done func()) { fn(); done() })
}

func (d *Device) beginClose(drained loop.Gate) {
	d.closing.refuse, d.closing.drained = true, drained
	d.closing.unknown.Volume = d.cfg.Name
	d.closing.check(d)
}

// giveUp ends what no path has; what a path has ends when the path is closed. If all was drained there is nothing to end.
func (d *Device) giveUp() {
	d.closing.gaveUp = true
	d.noPath.timer.Stop()
	for d.waiting.len() > 0 {
		d.abandon(d.waiting.pop())
	}
	for _, a := range d.quarantine.takeHeld() {
		d.abandon(a)
	}
	for _, a := range d.attempts {
		if a.phase == phasePausing {
			a.timer.Stop()
			d.abandon(a)
		}
	}
	for _, m := range d.members {
		m.recheck.Stop()
		m.become(StateClosed, nil)
	}
}

func (d *Device) abandon(a *attempt) {
	e := &blockdev.Error{
		Outcome: a.worst, Code: blockdev.CodeShutdown, Where: d.cfg.Name,
		Err: errors.New("the volume was closed before a path could carry the request"),
	}
	d.closing.note(a, e)
	d.answer(a, e)
}

// note counts a request that was given up.
func (c *closing) note(a *attempt, e *blockdev.Error) {
	c.failed++
	if e.Outcome == blockdev.Unknown && a.req.Op.Modifies() {
		c.unknown.add(a.req.Offset, a.req.Length)
	}
}

// closePaths closes all paths at the same time.
func (d *Device) closePaths(ctx context.Context) error {
	env := d.loop.Env()
	all := env.NewGate()
	errs := make([]error, len(d.members))
	var left atomic.Int32
	left.Store(int32(len(d.members)))
	for i, m := range d.members {
		env.Go(func() {
			if err := m.path.Close(ctx); err != nil {
				errs[i] = fmt.Errorf("path %s: %w", m.name, err)
			}
			if left.Add(-1) == 0 {
				all.Open()
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// endClose says what was given up.
func (d *Device) endClose(cause error) error {
	d.quarantine.timer.Stop()
	d.quarantine.empty.open()
	d.ready.open()
	for _, a := range d.attempts {
		if a.phase == phaseSent { // a path that did not give it back
			a.worst = blockdev.Unknown
			d.closing.note(a, &blockdev.Error{Outcome: blockdev.Unknown})
		}
	}
	if d.closing.failed == 0 {
		return nil
	}
	err := fmt.Errorf("volume %s: closed with %d requests unfinished: %w", d.cfg.Name, d.closing.failed, cause)
	if len(d.closing.unknown.Extents) > 0 {
		err = errors.Join(err, &d.closing.unknown)
	}
	return err
}
