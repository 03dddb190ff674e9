package target

import (
	"slices"

	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// recvTaskMgmt carries out a task management function. The answer says that what was aborted is over: it waits for the workers.
func (c *conn) recvTaskMgmt(f *pdu.Frame) {
	var p pdu.TaskMgmtRequest
	if err := p.Decode(f.BHS); err != nil {
		c.violate("%v", err)
		return
	}
	if !c.takeCmdSN(p.Immediate, p.CmdSN, p.ExpStatSN) {
		return
	}
	c.portal.counters.TaskMgmt++
	if c.discovery() {
		c.answered(p.Immediate)
		c.reject(f, pdu.RejectCommandNotSupported)
		return
	}
	if c.target.faults.swallowTMF(p.Function) {
		c.answered(p.Immediate)
		return
	}
	var b barrier
	result := c.manage(&p, &b)
	b.wait(func() { c.answerTaskMgmt(&p, result) })
}

func (c *conn) answerTaskMgmt(p *pdu.TaskMgmtRequest, result pdu.TaskMgmtResult) {
	if c.closed {
		return
	}
	r := &reply{immediate: p.Immediate, encode: func(b *pdu.BHS) {
		m := pdu.TaskMgmtResponse{
			Response: result, ITT: p.ITT, StatSN: c.takeStatSN(), ExpCmdSN: c.expCmdSN, MaxCmdSN: c.maxCmdSN(),
		}
		m.Encode(b)
	}}
	if p.Function == pdu.TargetColdReset && result == pdu.TaskMgmtComplete {
		r.then = c.target.closeAllSoon
	}
	c.reply(r)
}

func (c *conn) manage(p *pdu.TaskMgmtRequest, b *barrier) pdu.TaskMgmtResult {
	switch p.Function {
	case pdu.AbortTask:
		return c.abortTask(p, b)
	case pdu.AbortTaskSet, pdu.ClearTaskSet, pdu.LogicalUnitReset:
		l := c.target.unitAt(uint64(p.LUN))
		if l == nil {
			return pdu.TaskMgmtNoLUN
		}
		c.clearUnit(l, p.Function, b)
		return pdu.TaskMgmtComplete
	case pdu.TargetWarmReset, pdu.TargetColdReset:
		for _, l := range c.target.luns {
			c.clearUnit(l, p.Function, b)
		}
		return pdu.TaskMgmtComplete
	case pdu.TaskReassign:
		return pdu.TaskMgmtNoReassignment
	}
	return pdu.TaskMgmtNotSupported
}

// abortTask (RFC 7143 11.6.1): a task that is not there has been answered. It cannot be still to come, which RefCmdSN would tell:
// the one connection delivers commands before the request that refers to them.
func (c *conn) abortTask(p *pdu.TaskMgmtRequest, b *barrier) pdu.TaskMgmtResult {
	t := c.tasks.find(p.ReferencedTaskTag)
	if t == nil || t.lunField != p.LUN || t.state == taskSent {
		return pdu.TaskMgmtNoTask
	}
	c.abortInto(t, b)
	return pdu.TaskMgmtComplete
}

// clearUnit aborts the unit's tasks: of this session for ABORT TASK SET, else of all. Other sessions learn of it by a unit attention,
// and of a reset this one too.
func (c *conn) clearUnit(l *lun, fn pdu.TaskMgmtFunction, b *barrier) {
	for _, p := range c.target.portals {
		for _, other := range slices.Clone(p.conns) {
			if other != c && fn == pdu.AbortTaskSet || other.discovery() {
				continue
			}
			other.abortUnit(l, b)
			switch {
			case fn != pdu.AbortTaskSet && fn != pdu.ClearTaskSet:
				other.attend(l, scsi.CodeReset)
			case other != c:
				other.attend(l, scsi.CodeCommandsCleared)
			}
		}
	}
	if fn != pdu.AbortTaskSet && fn != pdu.ClearTaskSet {
		l.stopped = false
	}
}

func (c *conn) abortUnit(l *lun, b *barrier) {
	c.tasks.each(func(t *task) {
		if t.lun == l {
			c.abortInto(t, b)
		}
	})
}

// closeAllSoon is the rest of a TARGET COLD RESET, once its answer is written.
func (t *Target) closeAllSoon() {
	t.loop.AtEnd(closeAll{t})
}

type closeAll struct{ t *Target }

func (a closeAll) Run() {
	for _, p := range a.t.portals {
		for _, c := range slices.Clone(p.conns) {
			c.close(false, "TARGET COLD RESET")
		}
	}
}
