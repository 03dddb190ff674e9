package iscsi

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// LUN is a logical unit behind a session: a blockdev.Device, and a path for package mpio.
type LUN struct {
	s       *Session
	number  int
	wire    pdu.LUN
	name    string
	watcher blockdev.Watcher
	info    atomic.Pointer[blockdev.Info]

	up          bool // probed on this connection
	probing     bool
	stale       bool // something changed while it was being probed
	noWriteSame bool // the unit has refused WRITE SAME
	closed      bool
	inFlight    int      // tasks
	drained     []func() // who waits for the last task of a closed unit
	reprobe     *loop.Timer
}

func newLUN(s *Session, n int) (*LUN, error) {
	wire, err := pdu.FlatLUN(n)
	if err != nil {
		return nil, err
	}
	u := &LUN{s: s, number: n, wire: wire, name: fmt.Sprintf("%s %s LUN %d", s.cfg.Portal, s.cfg.TargetName, n)}
	u.reprobe = s.loop.NewTimer(u.probe)
	return u, nil
}

// String names the path: portal, interface, target and LUN.
func (u *LUN) String() string { return u.name }

// Portal is the portal through which this path leads.
func (u *LUN) Portal() Portal { return u.s.cfg.Portal }

// Session is the session that the LUN is reached by.
func (u *LUN) Session() *Session { return u.s }

// Buffers are the socket buffers of the session's connection.
func (u *LUN) Buffers() Buffers { return u.s.Buffers() }

// Info describes the unit as it was probed last; nil until it has first been up. Any goroutine may ask.
func (u *LUN) Info() *blockdev.Info { return u.info.Load() }

// Watch registers the one watcher, on the loop, before the session starts or at any later time.
func (u *LUN) Watch(w blockdev.Watcher) {
	u.watcher = w
	if u.up {
		w.PathUp(u.Info())
	}
}

// Rescan asks the unit anew what it is, on the loop: its size, its limits, who it is. The watcher hears of the answer.
func (u *LUN) Rescan() {
	if u.up {
		u.probe()
	}
}

// Submit starts a request. While the unit is down it fails: not sent.
func (u *LUN) Submit(r *blockdev.Request) {
	if r.Op == blockdev.Read {
		r.Data = r.Data[:0]
	}
	t := u.s.takeTask(u)
	t.req = r
	u.inFlight++
	if err := u.refusal(); err != nil {
		u.s.refuse(t, err)
		return
	}
	if err := u.build(t); err != nil {
		u.s.refuse(t, err)
		return
	}
	u.s.conn.start(t)
}

// refusal says why nothing can be submitted now.
func (u *LUN) refusal() error {
	switch {
	case u.closed:
		return &blockdev.Error{Outcome: blockdev.NotSent, Code: blockdev.CodeShutdown, Where: u.name, Err: ErrShutdown}
	case !u.up:
		return &blockdev.Error{Outcome: blockdev.NotSent, Code: blockdev.CodeTransport, Where: u.name, Err: ErrNotReady}
	}
	return nil
}

// Close refuses new requests and waits for those in flight. When ctx ends first the session's connection is reset, which ends
// them all, and the error of ctx is returned. The session goes on: Session.Close ends it.
func (u *LUN) Close(ctx context.Context) error {
	forced, stop := false, func() bool { return false }
	force := func() {
		if len(u.drained) > 0 && u.s.conn != nil {
			forced = true
			u.s.conn.fail(context.Cause(ctx))
		}
	}
	err := u.s.loop.Await(func(done func()) {
		u.closed = true
		u.reprobe.Stop()
		u.drained = append(u.drained, done)
		stop = context.AfterFunc(ctx, func() { u.s.loop.Post(force) })
		u.checkDrained()
		if ctx.Err() != nil {
			force()
		}
	})
	stop()
	if err == nil && forced {
		err = fmt.Errorf("iscsi: %s: closed with requests in flight: %w", u.name, context.Cause(ctx))
	}
	return err
}

func (u *LUN) checkDrained() {
	if u.closed && u.inFlight == 0 {
		for _, done := range u.drained {
			done()
		}
		u.drained = nil
		u.s.luns = slices.DeleteFunc(slices.Clone(u.s.luns), func(other *LUN) bool { return other == u }) // somebody may be in the midst of the list
	}
	u.s.checkIdle()
}

// setUp takes over what a probe found.
func (u *LUN) setUp(info *blockdev.Info) {
	u.up = true
	u.info.Store(info)
	if u.watcher != nil {
		u.watcher.PathUp(info)
	}
}

// setDown tells that the unit cannot be used.
func (u *LUN) setDown(cause error) {
	u.up, u.stale = false, false
	u.reprobe.Stop()
	if u.watcher != nil {
		u.watcher.PathDown(cause)
	}
}

// hearSense looks at what the target says besides the fate of a command: that something about the unit has changed.
func (u *LUN) hearSense(sense scsi.Sense) {
	if sense.Key != scsi.KeyUnitAttention || !u.up {
		return
	}
	u.hearReset(sense)
	switch sense.ASC {
	case 0x2a, 0x3f, 0x29: // parameters, the target's operating conditions, reset
		u.probe()
	}
}

// hearReset tells of a unit attention that means that the unit's cache is gone, if it was volatile. POWER ON, RESET, OR BUS DEVICE RESET
// (29/00) does not count: most targets greet every new session with it.
func (u *LUN) hearReset(sense scsi.Sense) {
	if code := sense.Code(); u.watcher != nil && sense.Key == scsi.KeyUnitAttention &&
		(code == scsi.CodePowerOn || code == scsi.CodeDeviceInternalReset) {
		u.watcher.CacheLost(fmt.Errorf("LUN %d: %v", u.number, sense))
	}
}
