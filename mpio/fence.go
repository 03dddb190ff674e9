package mpio

import (
	"cmp"
	"context"
	"math"
	"time"

	"github.com/hawser-storage/hawser/blockdev/loop"
)

// An orphan is a request that changes the volume, was sent by a path, and ended there with an unknown outcome. The copy that was sent
// may yet be carried out: after the retry by another path, and after newer writes to the same blocks, which it would overwrite. The
// data of the retry is the same, so the retry is harmless, and goes out at once. What must not happen is that a newer write is
// completed while the orphan may still live.
//
// So the orphan's extent is in quarantine until a fence proves that the orphan is dead:
//
//   - a request that changes an overlapping extent waits, were it new or a retry; other requests do not
//   - one that was in flight beside the orphan, and succeeds, is sent once more after the fence before it is completed
//   - a READ waits where the orphan's request has failed for good: what it reads could change without a write
//   - a FLUSH does not wait: it covers what was completed, and the orphan's data is that of its retry
//
// After a restart (Config.Inherited) the orphans of the former process are not known, so each path begins with one that is as large as the
// volume.
//
// The fence is the path's next login: a session of the same name reinstates the old one, and the target ends every task of that
// before it agrees (RFC 7143, section 6.3.5). Where the path does not come back it is time: Config.FenceTimeout.
type orphan struct {
	off, end uint64
	path     *member
	owner    *attempt // whose request it was; nil once that is complete
	lost     bool     // the request failed: what the extent holds is not known
	cut      bool     // the path's connection has ended since, so its next login is a fence
	until    time.Time
}

// quarantine is the set of orphans, and what waits for them.
type quarantine struct {
	dev     *Device
	orphans []orphan
	held    []*attempt // in the order in which they came
	empty   waiters    // of WaitFenced
	timer   *loop.Timer
	total   uint64 // orphans ever
}

// add puts a's request, which ended on m with an unknown outcome, into quarantine.
func (q *quarantine) add(m *member, a *attempt) {
	r := a.req
	a.orphaned = true
	q.total++
	q.orphans = append(q.orphans, orphan{
		off: r.Offset, end: r.End(), path: m, owner: a, cut: m.state == StateDown, until: q.dev.loop.Now().Add(q.dev.cfg.FenceTimeout),
	})
	if !q.timer.Pending() {
		q.timer.Reset(q.dev.cfg.FenceTimeout)
	}
}

// inherit puts the whole volume into quarantine for every path: what a former process sent by it, and whether it has ended, nobody knows.
func (q *quarantine) inherit() {
	until := q.dev.loop.Now().Add(q.dev.cfg.FenceTimeout)
	if q.dev.cfg.Strange {
		q.orphans = append(q.orphans, orphan{end: math.MaxUint64, cut: true, until: until}) // of no path: none can end it
	}
	for _, m := range q.dev.members {
		q.orphans = append(q.orphans, orphan{end: math.MaxUint64, path: m, cut: true, until: until})
	}
	q.setTimer()
}

// stops says whether a has to wait. It costs a comparison as long as there is no orphan.
func (q *quarantine) stops(a *attempt) bool {
	if len(q.orphans) == 0 {
		return false
	}
	r := a.req
	for i := range q.orphans {
		o := &q.orphans[i]
		if o.owner != a && r.Offset < o.end && o.off < r.End() && (r.Op.Modifies() || o.lost && r.Length > 0) {
			return true
		}
	}
	return false
}

// hold keeps a until the quarantine changes. After Close has given up nobody would send it any more.
func (q *quarantine) hold(a *attempt) {
	if q.dev.closing.gaveUp {
		q.dev.abandon(a)
		return
	}
	a.phase = phaseHeld
	q.held = append(q.held, a)
}

// completed takes note that a's request goes up. The orphans that it leaves are anybody's then.
func (q *quarantine) completed(a *attempt, err error) {
	for i := range q.orphans {
		if o := &q.orphans[i]; o.owner == a {
			o.owner, o.lost = nil, err != nil
		}
	}
}

// pathDown takes note that m's connection has ended.
func (q *quarantine) pathDown(m *member) {
	for i := range q.orphans {
		if o := &q.orphans[i]; o.path == m {
			o.cut = true
		}
	}
}

// pathUp is the fence: m has logged in to the same unit again.
func (q *quarantine) pathUp(m *member) {
	q.release(func(o *orphan) bool { return o.path == m && o.cut })
}

// expire is the other fence.
func (q *quarantine) expire() {
	now := q.dev.loop.Now()
	late := 0
	q.release(func(o *orphan) bool {
		if o.until.After(now) {
			return false
		}
		late++
		return true
	})
	if late > 0 {
		q.dev.log.Warn("nothing has proved that writes of a lost path are dead: they are taken for it now", logCount, late,
			"after", q.dev.cfg.FenceTimeout.String())
	}
}

// release ends the quarantine of the orphans that are dead, and sends what waited for nothing else.
func (q *quarantine) release(dead func(*orphan) bool) {
	left := q.orphans[:0]
	for i := range q.orphans {
		if !dead(&q.orphans[i]) {
			left = append(left, q.orphans[i])
		}
	}
	if len(left) == len(q.orphans) {
		return
	}
	clear(q.orphans[len(left):])
	q.orphans = left
	if len(left) == 0 {
		q.empty.open()
	}
	q.setTimer()
	for _, a := range q.takeHeld() {
		q.dev.route(a)
	}
}

// WaitFenced returns when nothing that a path had when it was lost, or that a former process left, can be carried out any more. Who gives
// the volume to another host waits for it, before Close. When ctx ends first, or the volume is closed, it returns an *UnfencedError. It is
// for the control plane.
func (d *Device) WaitFenced(ctx context.Context) error {
	q := &d.quarantine
	var left error
	err := d.wait(ctx, &q.empty, func() bool { return len(q.orphans) == 0 || d.closing.gaveUp }, func() {
		if len(q.orphans) > 0 {
			left = q.unfenced(context.Cause(ctx))
		}
	})
	return cmp.Or(err, left)
}

// unfenced says what is left.
func (q *quarantine) unfenced(cause error) *UnfencedError {
	e := &UnfencedError{Volume: q.dev.cfg.Name, Err: cause}
	for i := range q.orphans {
		o := &q.orphans[i]
		e.Within = max(e.Within, o.until.Sub(q.dev.loop.Now()))
		if o.end == math.MaxUint64 {
			e.Whole = true
			continue
		}
		e.add(o.off, o.end-o.off)
	}
	return e
}

// takeHeld gives up what waits for a fence, to the caller.
func (q *quarantine) takeHeld() []*attempt {
	held := q.held
	q.held = nil
	return held
}

func (q *quarantine) setTimer() {
	if len(q.orphans) == 0 {
		q.timer.Stop()
		return
	}
	first := q.orphans[0].until
	for i := range q.orphans {
		if u := q.orphans[i].until; u.Before(first) {
			first = u
		}
	}
	q.timer.Reset(max(0, first.Sub(q.dev.loop.Now())))
}
