package iscsi

import (
	"context"
	"fmt"
	"time"

	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// Close waits for the commands in flight, logs out, and ends the session. When ctx ends first the connection is reset, which
// ends them, and the error of ctx is returned. For the control plane.
func (s *Session) Close(ctx context.Context) error {
	forced, stop := false, func() bool { return false }
	force := func() {
		if s.state == Closing && s.conn != nil {
			forced = true
			s.conn.fail(ErrShutdown)
		}
	}
	err := s.loop.Await(func(done func()) {
		s.closed = append(s.closed, done)
		stop = context.AfterFunc(ctx, func() { s.loop.Post(force) })
		s.beginClose()
		if ctx.Err() != nil {
			force()
		}
	})
	stop()
	if err == nil && forced {
		err = fmt.Errorf("iscsi: %s: closed without a logout: %w", s.cfg.Portal, context.Cause(ctx))
	}
	return err
}

// beginClose leads every state to Closed.
func (s *Session) beginClose() {
	for _, u := range s.luns {
		u.closed = true
		u.reprobe.Stop()
	}
	switch s.state {
	case Idle, Waiting:
		s.retry.Stop()
		s.finishClose()
	case Connecting:
		s.setState(Closing, ErrShutdown)
		s.cancel()
		s.callOff()
	case Up:
		s.setState(Closing, ErrShutdown)
		s.checkIdle()
	case Closed:
		s.finishClose()
	}
}

func (s *Session) finishClose() {
	if s.state != Closed {
		s.setState(Closed, nil)
		s.lock.release()
	}
	for _, done := range s.closed {
		done()
	}
	s.closed = nil
}

// leave begins the way to a logout while the session goes on: nothing more is sent, and when nothing is in flight we log out.
// What waits in the backlog was never sent, and fails as such: another path takes it at once.
func (c *conn) leave(why error, within time.Duration) {
	if c.leaving != nil {
		return
	}
	c.leaving = why
	c.leaveBy = c.s.loop.Now().Add(within)
	c.s.lunsDown(why)
	for c.backlog.len() > 0 {
		t := c.backlog.pop()
		c.finish(t, t.lostError(why))
	}
	c.s.checkIdle()
}

// checkIdle logs out when that is due and nothing is in flight.
func (s *Session) checkIdle() {
	c := s.conn
	if c == nil || c.logoutITT != pdu.ReservedTag || s.state != Closing && c.leaving == nil {
		return
	}
	for _, u := range s.luns {
		if u.inFlight > 0 {
			return
		}
	}
	c.sendLogout()
}

// checkLeave ends a logout that takes too long with a reset.
func (c *conn) checkLeave(now time.Time) {
	if c.leaving != nil && now.After(c.leaveBy) {
		c.fail(fmt.Errorf("logout: %w", ErrSilent))
	}
}

func (c *conn) sendLogout() {
	if c.leaving == nil {
		c.leaving = ErrShutdown
	}
	c.leaveBy = c.s.loop.Now().Add(c.s.cfg.LogoutTimeout)
	c.logoutITT = c.tasks.tag(slotMask)
	h := c.tx.header()
	p := pdu.LogoutRequest{
		Immediate: true,
		Reason:    pdu.LogoutCloseSession,
		ITT:       c.logoutITT,
		CmdSN:     c.window.cmdSN,
		ExpStatSN: c.window.expStatSN,
	}
	p.Encode(h)
	c.tx.endHeader(h)
	c.flushLater()
}

func (c *conn) onLogout(p *pdu.LogoutResponse) error {
	if p.ITT != c.logoutITT {
		return protocolError("a Logout Response that nobody asked for")
	}
	if err := c.window.status(p.StatSN); err != nil {
		return err
	}
	c.loggedOut = true
	c.fail(c.leaving)
	return nil
}
