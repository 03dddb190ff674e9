package mpio

import (
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
)

// noPath is the time without a usable path.
type noPath struct {
	timer   *loop.Timer // runs while requests may wait
	open    bool        // it has begun and not ended
	since   time.Time
	expired bool         // waited long enough: requests fail at once until a path returns
	cause   *NoPathError // why, once expired
}

// await keeps a until a path returns or NoPathRetry is over.
func (d *Device) await(a *attempt) {
	if d.noPath.expired {
		d.answer(a, d.unreachable(a))
		return
	}
	a.phase = phaseWaiting
	if a.since.IsZero() {
		a.since = d.loop.Now()
	}
	d.waiting.push(a) // if there is a path already, the deferred stage is due
}

// lastPathGone begins the time, unless it has not ended: a path that was only on trial does not count.
func (d *Device) lastPathGone() {
	if d.noPath.open {
		return
	}
	d.noPath.open, d.noPath.since = true, d.loop.Now()
	wait := *d.cfg.NoPathRetry
	switch {
	case wait == 0:
		d.giveUpWaiting()
	case wait > 0:
		d.noPath.timer.Reset(wait)
	}
	if d.volume != nil {
		d.log.Error("no path is left", "wait", wait.String())
	}
}

// endNoPath ends it: a path connected, or one on trial served a request.
func (d *Device) endNoPath() {
	if !d.noPath.open {
		return
	}
	d.log.Info("a path is usable", "after", d.loop.Now().Sub(d.noPath.since).String())
	d.noPath.timer.Stop()
	d.noPath.open, d.noPath.expired, d.noPath.cause = false, false, nil
}

// giveUpWaiting fails what waits. It is the end of NoPathRetry.
func (d *Device) giveUpWaiting() {
	d.noPath.expired, d.noPath.cause = true, d.noPathError(nil)
	if n := d.waiting.len(); n > 0 {
		d.log.Error("no path came back in time: requests fail", logCount, n)
	}
	for d.waiting.len() > 0 {
		a := d.waiting.pop()
		d.answer(a, d.unreachable(a))
	}
	for _, a := range d.quarantine.takeHeld() {
		d.answer(a, d.unreachable(a))
	}
}

// sendWaiting sends everything that waited, in order, now that there is a path.
func (d *Device) sendWaiting() {
	for n := d.waiting.len(); n > 0 && len(d.usable.paths) > 0; n-- {
		d.choose(d.waiting.pop())
	}
}

func (d *Device) unreachable(a *attempt) *blockdev.Error {
	cause := d.noPath.cause
	if cause == nil {
		cause = d.noPathError(nil)
	}
	return &blockdev.Error{Outcome: a.worst, Code: blockdev.CodeNoPath, Where: d.cfg.Name, Err: cause}
}

func (d *Device) noPathError(cause error) *NoPathError {
	e := &NoPathError{Volume: d.cfg.Name, Err: cause}
	for _, m := range d.members {
		e.Paths = append(e.Paths, PathError{Path: m.name, State: m.state, Err: m.reason})
	}
	return e
}
