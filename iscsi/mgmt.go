package iscsi

import (
	"fmt"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// mgmt is a task management request that was sent and not answered.
type mgmt struct {
	itt  uint32
	by   time.Time // when waiting ends, and with it the connection
	done func(pdu.TaskMgmtResult, error)
}

// mgmtTable holds them; there are rarely more than one.
type mgmtTable struct {
	open []mgmt
}

func (m *mgmtTable) take(itt uint32) (mgmt, bool) {
	for i, r := range m.open {
		if r.itt == itt {
			m.open = append(m.open[:i], m.open[i+1:]...)
			return r, true
		}
	}
	return mgmt{}, false
}

func (m *mgmtTable) failAll(cause error) {
	open := m.open
	m.open = nil
	for _, r := range open {
		r.done(0, cause)
	}
}

// manage sends a task management request (RFC 7143, section 11.5), immediate, so that it overtakes a closed window. done is
// called on the loop: with the target's answer, or with the error that ended the connection.
func (c *conn) manage(p *pdu.TaskMgmtRequest, within time.Duration, done func(pdu.TaskMgmtResult, error)) {
	p.Immediate = true
	p.ITT = c.tasks.tag(slotMask)
	p.CmdSN, p.ExpStatSN = c.window.cmdSN, c.window.expStatSN
	c.mgmt.open = append(c.mgmt.open, mgmt{itt: p.ITT, by: c.s.loop.Now().Add(within), done: done})
	h := c.tx.header()
	p.Encode(h)
	c.tx.endHeader(h)
	c.flushLater()
}

func (c *conn) onTaskMgmt(p *pdu.TaskMgmtResponse) error {
	if err := c.window.update(p.ExpCmdSN, p.MaxCmdSN); err != nil {
		return err
	}
	if err := c.window.status(p.StatSN); err != nil {
		return err
	}
	r, ok := c.mgmt.take(p.ITT)
	if !ok {
		return protocolError("an answer to task management %08x, which we did not ask for", p.ITT)
	}
	r.done(p.Response, nil)
	return nil
}

func (c *conn) checkMgmt(now time.Time) {
	for _, r := range c.mgmt.open {
		if now.After(r.by) {
			c.fail(fmt.Errorf("task management: %w", ErrSilent))
			return
		}
	}
}

// checkTasks aborts what has not been answered in time. The connection lives, so this is not about the way to the target: the
// command itself is slow, and must be known to be dead before it may be sent again elsewhere.
func (c *conn) checkTasks(now time.Time) {
	for _, t := range c.tasks.slots {
		if c.dead != nil {
			return
		}
		if t != nil && !t.aborting && now.Sub(t.sentAt) >= c.s.cfg.CommandTimeout {
			c.abort(t)
		}
	}
}

// abort asks the target to end a task. Both "complete" and "no such task" prove that it cannot execute any more: answers come
// in order, so its own would have come before (RFC 7143, section 11.6.1). Any other answer proves nothing, and the session goes.
func (c *conn) abort(t *task) {
	t.aborting = true
	c.s.counters.Aborts++
	itt := t.itt
	req := pdu.TaskMgmtRequest{Function: pdu.AbortTask, LUN: t.lun.wire, ReferencedTaskTag: itt, RefCmdSN: t.cmdSN}
	c.manage(&req, c.s.cfg.AbortTimeout, func(result pdu.TaskMgmtResult, err error) {
		switch {
		case err != nil || c.tasks.find(itt) != t:
			return // the connection is gone, or the command was answered meanwhile
		case result != pdu.TaskMgmtComplete && result != pdu.TaskMgmtNoTask:
			c.fail(fmt.Errorf("ABORT TASK: %v", result))
			return
		}
		c.finish(t, &blockdev.Error{Outcome: blockdev.Failed, Code: blockdev.CodeTimeout, Where: t.lun.name, Err: ErrAborted})
	})
}

// Reset sends a LOGICAL UNIT RESET: it ends every command of every initiator on the unit. For the control plane.
func (u *LUN) Reset() error {
	var result pdu.TaskMgmtResult
	var err error
	if aerr := u.s.loop.Await(func(done func()) {
		c := u.s.conn
		if c == nil {
			err = ErrNotReady
			done()
			return
		}
		req := pdu.TaskMgmtRequest{Function: pdu.LogicalUnitReset, LUN: u.wire, ReferencedTaskTag: pdu.ReservedTag}
		c.manage(&req, u.s.cfg.LUResetTimeout, func(r pdu.TaskMgmtResult, e error) {
			result, err = r, e
			done()
		})
	}); aerr != nil {
		return aerr
	}
	if err == nil && result != pdu.TaskMgmtComplete {
		err = fmt.Errorf("%v", result)
	}
	if err != nil {
		return fmt.Errorf("%s: LOGICAL UNIT RESET: %w", u.name, err)
	}
	return nil
}
