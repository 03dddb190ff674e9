package mpio

import (
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
)

// phase is where an attempt is.
type phase uint8

const (
	phaseIdle    phase = iota // in the pool
	phaseSent                 // with a path
	phaseWaiting              // in the queue: no path
	phasePausing              // its timer runs
	phaseHeld                 // an orphan has its extent
	phaseAnswer               // its outcome is known: it completes in the deferred stage
)

// attempt is a request's stay in mpio, from Submit to Complete, over all its retries. It belongs to the Device's pool; while a path
// has the request it lies on it as a layer.
type attempt struct {
	dev   *Device
	req   *blockdev.Request
	path  *member // that has it, or had it last
	phase phase
	err   error // phaseAnswer

	// What happened so far. Zero until the first error.
	tried    uint64           // paths of this round, as bits
	worst    blockdev.Outcome // of all tries
	orphaned bool             // it has left orphans
	retries  int
	since    time.Time    // of the first error, or of the wait for a path
	row      *disposition // that was met last
	met      int          // times in a row
	metAt    time.Time
	timer    *loop.Timer // made when first needed; kept

	flush flushMark // of a FLUSH
}

// take makes an attempt for r.
func (d *Device) take(r *blockdev.Request) *attempt {
	var a *attempt
	if n := len(d.idle); n > 0 {
		a = d.idle[n-1]
		d.idle = d.idle[:n-1]
	} else {
		a = &attempt{dev: d}
		d.attempts = append(d.attempts, a)
	}
	d.busy++
	a.req = r
	return a
}

// put gives an attempt back to the pool.
func (d *Device) put(a *attempt) {
	*a = attempt{dev: d, timer: a.timer}
	d.idle = append(d.idle, a)
	d.busy--
}

// send gives a's request to a path.
func (d *Device) send(a *attempt, m *member) {
	if d.quarantine.stops(a) {
		d.quarantine.hold(a)
		return
	}
	a.path, a.phase = m, phaseSent
	r := a.req
	m.stats.sent(r)
	r.Push(a)
	m.path.Submit(r)
}

// Completed implements [blockdev.Completer]: the path gives the request back.
func (a *attempt) Completed(r *blockdev.Request, err error) {
	m := a.path
	m.stats.returned(r, err)
	if err == nil && m.state != StateRefused {
		if m.trial {
			m.served()
		}
		a.dev.served = a.dev.loop.Now()
		a.succeeded()
		return
	}
	if err == nil { // it went to another device, or its answer came from one
		err = &blockdev.Error{Outcome: blockdev.Unknown, Code: blockdev.CodeTransport, Where: m.name, Err: m.reason}
	}
	a.dev.settle(a, m, blockdev.AsError(err))
}

// succeeded passes a's request up, unless an orphan beside it may still undo what it did: then it is sent again behind the fence.
func (a *attempt) succeeded() {
	q := &a.dev.quarantine
	if a.req.Op.Modifies() && q.stops(a) {
		a.worst = blockdev.Unknown // it was carried out, and may be undone
		q.hold(a)
		return
	}
	a.dev.finish(a, nil)
}

// finish passes a's request up. err is nil or a *blockdev.Error.
func (d *Device) finish(a *attempt, err error) {
	r := a.req
	if a.orphaned {
		d.quarantine.completed(a, err)
	}
	switch {
	case r.Op == blockdev.Flush:
		err = d.cache.end(a, err)
	case err == nil && r.Op.Modifies() && r.Flags&blockdev.FlagFUA == 0 && d.writeCache:
		d.cache.completed++
	}
	d.put(a)
	r.Complete(err)
	d.closing.check(d)
}
