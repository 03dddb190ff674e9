package iscsi

import (
	"time"

	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/iscsi/login"
	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// conn is a connection in full feature phase: born when a login succeeded, dead for good after fail. It belongs to the loop.
//
// Files in the order of the data's way: lun.go and command.go (a request becomes a command), send.go and transmit.go (commands and
// Data-Out, one writev a turn), receive.go and dispatch.go (bytes become PDUs), datain.go, r2t.go and response.go (what they mean),
// complete.go (the request goes up).
type conn struct {
	s      *Session
	watch  *loop.Watch
	param  *login.Params
	window window
	tasks  taskTable
	rx     receiver
	tx     transmitter

	backlog  fifo[*task] // commands that wait for a slot, the window, or room in the transmit queue
	bursts   fifo[burst] // Data-Out that is due, in order
	dirty    bool        // flush is due
	expected uint64      // bytes of READs that have not come yet
	in       incoming

	tick      *loop.Timer
	heard     time.Time // when something last came from the target
	shutSince time.Time // since when the window is closed with nothing in flight; zero if it is not
	taken     uint64    // how far the transmit queue had been written
	takenAt   time.Time // when that was last seen to go on, or nothing was queued
	ping      uint32    // ITT of the NOP-Out that is not answered; ReservedTag for none
	pinged    time.Time
	born      time.Time
	mgmt      mgmtTable
	leaving   error     // why the session logs out; nil as long as it does not
	logoutITT uint32    // of the Logout Request; ReservedTag until it was sent
	leaveBy   time.Time // when waiting for the logout ends
	loggedOut bool      // the target agreed
	dead      error     // why it ended; nil while it lives
}

func newConn(s *Session, p *login.Params) *conn {
	c := &conn{
		s:     s,
		param: p,
		window: window{
			cmdSN: p.CmdSN, expCmdSN: p.ExpCmdSN, maxCmdSN: p.MaxCmdSN, expStatSN: p.ExpStatSN,
		},
		tasks:     newTaskTable(s.cfg.CmdsMax),
		tx:        newTransmitter(p.HeaderDigest, p.DataDigest),
		ping:      pdu.ReservedTag,
		logoutITT: pdu.ReservedTag,
	}
	c.rx = receiver{arena: s.arena, headerDigest: p.HeaderDigest, dataDigest: p.DataDigest}
	c.tick = s.loop.NewTimer(c.onTick)
	c.heard, c.born, c.takenAt = s.loop.Now(), s.loop.Now(), s.loop.Now()
	return c
}

// Ready is called by the loop when the socket has something for us, or room.
func (c *conn) Ready(ev loop.Events) {
	if ev&loop.Readable != 0 {
		c.receive()
	}
	if ev&loop.Writable != 0 && c.dead == nil {
		c.flushLater()
	}
}

// fail ends the connection. It is the only way out: whatever is wrong leads here, and happens once. The order matters: no byte
// of a command may leave after its outcome was told, and nobody may choose this path for a retry of what is failing on it.
func (c *conn) fail(cause error) {
	if c.dead != nil {
		return
	}
	c.dead = cause
	c.tx.settle(c.unpin) // what was written so far counts as sent
	c.close()
	c.tick.Stop()
	c.s.connLost(c, cause)
	c.tx.drop(c.unpin)
	c.bursts = fifo[burst]{}
	c.mgmt.failAll(cause)
	for _, t := range c.tasks.slots {
		if t != nil {
			c.finish(t, t.lostError(cause))
		}
	}
	for c.backlog.len() > 0 {
		t := c.backlog.pop()
		c.finish(t, t.lostError(cause))
	}
	c.rx.close()
	if c.s.state == Closing {
		c.s.finishClose() // last: who waits for it may take the arena away
	}
}

// close ends the connection. After a failure it is a reset, because what is still in the socket's queue must never arrive.
func (c *conn) close() {
	if c.loggedOut {
		_ = c.watch.Close()
		return
	}
	_ = c.watch.Abort()
}
