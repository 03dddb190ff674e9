package mpio

import (
	"time"

	"github.com/hawser-storage/hawser/blockdev"
)

const (
	// freeRetries of a request go at once; later ones are delayed, so that errors which take turns do not spin the loop.
	freeRetries = 16

	// patience bounds all retries of a request, whatever the rows that it meets, where NoPathRetry is not longer.
	patience = 3 * time.Minute

	// A request that finds no way for so long, while others of the volume do, is tried so often before it is held to be the trouble itself:
	// with paths that come and go it only had no luck.
	manyTries = 16
)

// settle decides what becomes of a request that m gave back with an error.
func (d *Device) settle(a *attempt, m *member, e *blockdev.Error) {
	row := dispose(e)
	a.meet(row, e, d.loop.Now())
	d.follow(row, a, m, e)
	switch d.decide(a, row, e) {
	case Accept:
		d.finish(a, nil)
	case RetrySame:
		m.stats.Retries++
		d.resend(a, m)
	case RetryDelayed:
		m.stats.Retries++
		d.pause(a, row.pause, a.met)
	case RetryOther:
		d.elsewhere(a, m, row, e)
	default:
		d.fail(a, m, row, e)
	}
}

// fail passes a's request up with its error.
func (d *Device) fail(a *attempt, m *member, row *disposition, e *blockdev.Error) {
	v := a.verdict(m, row, e)
	if e.Outcome == blockdev.Failed {
		a.flush.answer = e
	}
	if d.closing.gaveUp {
		d.closing.note(a, v)
	}
	d.finish(a, v)
}

// meet notes an error in the attempt.
func (a *attempt) meet(row *disposition, e *blockdev.Error, now time.Time) {
	if a.since.IsZero() {
		a.since = now
	}
	if a.row != row {
		a.row, a.met, a.metAt = row, 0, now
	}
	a.met++
	a.retries++
	a.worst = max(a.worst, e.Outcome)
}

// follow does what an error means beyond its request.
func (d *Device) follow(row *disposition, a *attempt, m *member, e *blockdev.Error) {
	switch row.effect {
	case EffectLostWrite:
		d.cache.lose(e)
		d.log.Error("a write that was completed earlier has failed: the next FLUSH will fail", logPath, m.name, logReason, e)
	case EffectReset:
		if d.cache.unflushed() || d.writeCache && d.modifying() {
			d.cache.lose(e)
			d.log.Error("the device was reset with unflushed writes: the next FLUSH will fail", logPath, m.name, logReason, e)
		}
	}
	if e.Outcome == blockdev.Unknown && a.req.Op.Modifies() {
		d.quarantine.add(m, a)
	}
	if row.failPath {
		m.fail(e)
	}
}

// modifying says whether a request that changes the volume is with a path.
func (d *Device) modifying() bool {
	for _, m := range d.members {
		for op := range m.stats.Ops {
			if blockdev.Op(op).Modifies() && m.stats.Ops[op].InFlight > 0 {
				return true
			}
		}
	}
	return false
}

// decide is the row's action, within its bounds and the request's.
func (d *Device) decide(a *attempt, row *disposition, e *blockdev.Error) Action {
	now := d.loop.Now()
	switch {
	case d.closing.gaveUp:
		return Fail
	case row.action == Accept:
		return a.accept()
	case a.req.Op == blockdev.Flush && e.Outcome == blockdev.Failed && !row.flushAgain:
		return Fail
	case d.exhausted(a, row, now):
		return Fail
	case row.times > 0 && a.met > row.times, row.window > 0 && now.Sub(a.metAt) >= row.window:
		return row.then
	}
	return row.action
}

// accept believes an answer that calls itself a success, of a READ whose data is all there. Anything else is asked once more.
func (a *attempt) accept() Action {
	switch r := a.req; {
	case r.Op == blockdev.Read && blockdev.SegmentsLen(r.Data) == r.Length:
		return Accept
	case a.met == 1 && r.Op != blockdev.Flush:
		return RetrySame
	}
	return Fail
}

// exhausted says whether the request was retried for long enough. What waits for a way to the device may wait as long as NoPathRetry.
func (d *Device) exhausted(a *attempt, row *disposition, now time.Time) bool {
	limit, wait := patience, *d.cfg.NoPathRetry
	switch {
	case row.last == Wait && row.window == 0 && wait < 0:
		return false
	case wait > limit:
		limit = wait
	}
	return now.Sub(a.since) >= limit && !(row.last == Wait && row.window == 0 && d.othersDo(a, limit))
}

// othersDo says that others of the volume's requests have found a way within the time, and a may only have had no luck.
func (d *Device) othersDo(a *attempt, within time.Duration) bool {
	return a.retries < manyTries && d.loop.Now().Sub(d.served) < within
}

// resend gives a's request to the same path again, or to another one if that is gone.
func (d *Device) resend(a *attempt, m *member) {
	a.reset()
	switch {
	case a.retries > freeRetries:
		d.pause(a, shortPause, a.retries-freeRetries)
	case m.state == StateUp:
		d.send(a, m)
	default:
		d.route(a)
	}
}

// elsewhere gives a's request to a path that has not had it. When there is none the round is over: the row says whether there is
// another one.
func (d *Device) elsewhere(a *attempt, m *member, row *disposition, e *blockdev.Error) {
	m.stats.Failovers++
	a.tried |= m.bit()
	a.path = nil
	a.reset()
	if row.action != RetryOther { // each path has the row's bounds for itself
		a.row = nil
	}
	switch {
	case len(d.usable.paths) == 0 && d.mayWait(a):
		d.await(a)
	case len(d.usable.paths) == 0:
		d.answer(a, d.unreachable(a))
	case untried(d.usable, 0, a.tried) < 0:
		d.nextRound(a, m, row, e)
	case a.retries > freeRetries:
		d.pause(a, shortPause, a.retries-freeRetries)
	default:
		d.route(a)
	}
}

func (d *Device) nextRound(a *attempt, m *member, row *disposition, e *blockdev.Error) {
	if row.last != Wait || !d.mayWait(a) {
		d.fail(a, m, row, e)
		return
	}
	a.tried = 0
	d.pause(a, pauseOr(row.pause), a.met)
}

func pauseOr(p pause) pause {
	if p == noPause {
		return shortPause
	}
	return p
}

// mayWait says whether a request that no path could carry may try another round.
func (d *Device) mayWait(a *attempt) bool {
	wait := *d.cfg.NoPathRetry
	return wait < 0 || d.loop.Now().Sub(a.since) < wait || d.othersDo(a, wait)
}

// reset makes the request as it was submitted.
func (a *attempt) reset() {
	if a.req.Op == blockdev.Read {
		a.req.Data = a.req.Data[:0]
	}
}

// pause keeps a until its timer fires. It is the nth of its kind, from 1.
func (d *Device) pause(a *attempt, p pause, n int) {
	a.reset()
	if a.timer == nil {
		a.timer = d.loop.NewTimer(a.resume)
	}
	a.phase = phasePausing
	a.timer.Reset(p.after(n, d.random.Float64()))
}

// resume sends a by the path that it paused for, or by any other.
func (a *attempt) resume() {
	if m := a.path; m != nil && m.state == StateUp {
		a.dev.send(a, m)
		return
	}
	a.dev.route(a)
}

// verdict is the error that a's request ends with: that of the last try, with the worst outcome of all.
func (a *attempt) verdict(m *member, row *disposition, e *blockdev.Error) *blockdev.Error {
	v := *e
	v.Outcome = a.worst
	if row.code != 0 {
		v.Code = row.code
	}
	if v.Where == "" {
		v.Where = m.name
	}
	return &v
}
