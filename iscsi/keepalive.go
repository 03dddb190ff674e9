package iscsi

import (
	"fmt"
	"time"

	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// Whether the target is still there is asked only when nothing else tells: any byte from it is a sign of life. The loop runs
// timers after the reads of the same turn, so a stall of ours is not taken for a silence of the target's.

// tickInterval is how often a connection looks at its clocks.
func (s *Session) tickInterval() time.Duration {
	return max(min(s.cfg.NOOPInterval, s.cfg.NOOPTimeout, s.cfg.AbortTimeout, time.Second)/2, time.Millisecond)
}

func (c *conn) onTick() {
	now := c.s.loop.Now()
	c.checkSilence(now)
	c.checkTasks(now)
	c.checkWindow(now)
	c.checkQueue(now)
	c.checkMgmt(now)
	c.checkLeave(now)
	if c.dead == nil {
		c.tick.Reset(c.s.tickInterval())
	}
}

// checkSilence sends a NOP-Out after a silence, and ends the connection if that goes on.
func (c *conn) checkSilence(now time.Time) {
	if c.ping != pdu.ReservedTag {
		since := c.pinged
		if c.heard.After(since) {
			since = c.heard
		}
		if now.Sub(since) >= c.s.cfg.NOOPTimeout {
			c.fail(fmt.Errorf("%w: nothing heard for %v", ErrSilent, now.Sub(c.heard).Round(time.Millisecond)))
		}
		return
	}
	silent := now.Sub(c.heard)
	switch {
	case silent < c.s.cfg.NOOPInterval:
	case c.tx.room():
		c.sendPing(now)
	case silent >= c.s.cfg.NOOPInterval+c.s.cfg.NOOPTimeout: // the target does not even take what we have to say
		c.fail(fmt.Errorf("%w: nothing heard for %v, and nothing taken", ErrSilent, silent.Round(time.Millisecond)))
	}
}

// checkWindow ends a connection on which nothing may be sent although nothing is under way: nobody would ever open the window.
func (c *conn) checkWindow(now time.Time) {
	if c.backlog.len() == 0 || c.tasks.used() > 0 || c.window.open() {
		c.shutSince = time.Time{}
		return
	}
	if c.shutSince.IsZero() {
		c.shutSince = now
	}
	if now.Sub(c.shutSince) >= c.s.cfg.CommandTimeout {
		c.fail(protocolError("the command window has been closed for %v with no command in flight", now.Sub(c.shutSince).Round(time.Second)))
	}
}

// checkQueue ends a connection that takes nothing of what is queued, whatever else the target says: a command that was answered
// before it was all sent has no other limit. It comes last, after the abort of what is not answered.
func (c *conn) checkQueue(now time.Time) {
	if c.tx.empty() || c.tx.written != c.taken {
		c.taken, c.takenAt = c.tx.written, now
		return
	}
	if d := now.Sub(c.takenAt); d >= c.s.cfg.CommandTimeout+c.s.cfg.AbortTimeout {
		c.fail(fmt.Errorf("%w: nothing taken for %v", ErrSilent, d.Round(time.Second)))
	}
}

func (c *conn) sendPing(now time.Time) {
	c.ping, c.pinged = c.tasks.tag(slotMask), now
	c.s.counters.NOPs++
	c.sendNOP(&pdu.NOPOut{Immediate: true, ITT: c.ping, TTT: pdu.ReservedTag})
}

func (c *conn) sendNOP(p *pdu.NOPOut) {
	p.CmdSN, p.ExpStatSN = c.window.cmdSN, c.window.expStatSN
	h := c.tx.header()
	p.Encode(h)
	c.tx.endHeader(h)
	c.flushLater()
}

// onNOPIn takes the answer to a ping, answers the target's, or just takes note of the numbers (RFC 7143, section 11.19).
func (c *conn) onNOPIn(p *pdu.NOPIn) error {
	if err := c.window.update(p.ExpCmdSN, p.MaxCmdSN); err != nil {
		return err
	}
	switch {
	case p.ITT != pdu.ReservedTag && p.ITT != c.ping:
		return protocolError("a NOP-In that answers %08x, which we did not ask", p.ITT)
	case p.ITT != pdu.ReservedTag:
		if err := c.window.status(p.StatSN); err != nil {
			return err
		}
		c.ping = pdu.ReservedTag
	case p.TTT != pdu.ReservedTag:
		return c.answerPing(p)
	}
	return nil
}

// answerPing sends the target's ping data back. A target that asks faster than we can send is not served without end.
func (c *conn) answerPing(p *pdu.NOPIn) error {
	if cap(c.tx.buf)-len(c.tx.buf) < pduSpace+pdu.Pad(len(c.rx.control)) { // payload in the queue is no obstacle
		return protocolError("more pings than can be answered")
	}
	data := c.rx.control
	data = data[:min(len(data), c.param.MaxXmitDataSegmentLength)]
	out := pdu.NOPOut{
		Immediate: true, LUN: p.LUN, ITT: pdu.ReservedTag, TTT: p.TTT,
		CmdSN: c.window.cmdSN, ExpStatSN: c.window.expStatSN, DataSegmentLength: uint32(len(data)),
	}
	h := c.tx.header()
	out.Encode(h)
	c.tx.endHeader(h)
	c.tx.copied(data)
	c.flushLater()
	return nil
}
