package target

import (
	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// recvCommand turns a SCSI Command into a task:
//
//  1. the numbers
//  2. the rules for what may come with it
//  3. a task, and what the CDB says (prepare)
//  4. the data that came with it
//  5. execution, unless more data is to come
func (c *conn) recvCommand(f *pdu.Frame) {
	var p pdu.SCSICommand
	if err := p.Decode(f.BHS); err != nil {
		c.violate("%v", err)
		return
	}
	if !c.takeCmdSN(p.Immediate, p.CmdSN, p.ExpStatSN) {
		return
	}
	if c.discovery() {
		c.answered(p.Immediate)
		c.reject(f, pdu.RejectCommandNotSupported)
		return
	}
	if p.Immediate && c.immediates >= maxImmediate {
		c.reject(f, pdu.RejectTooManyImmediate)
		return
	}
	if why := c.checkCommand(&p); why != "" {
		c.violate("SCSI Command %#x: %s", p.ITT, why)
		return
	}
	t := c.newTask(&p)
	t.prepare(f.AHS)
	if c.closed {
		return
	}
	if t.written {
		t.take(f.Data)
	}
	t.advance()
}

// checkCommand holds the immediate data and the F bit against what was negotiated (RFC 7143 13.10, 13.11, 13.14).
func (c *conn) checkCommand(p *pdu.SCSICommand) string {
	now := int(p.DataSegmentLength)
	first := min(c.par.FirstBurstLength, int(p.ExpectedDataTransferLength))
	switch {
	case c.tasks.find(p.ITT) != nil:
		return "its Initiator Task Tag is in use"
	case now > 0 && !p.Write:
		return "data without the W bit"
	case now > 0 && !c.par.ImmediateData:
		return "immediate data although ImmediateData=No"
	case now > first:
		return "more immediate data than FirstBurstLength or the expected length"
	case !p.Final && c.par.InitialR2T:
		return "announces unsolicited data although InitialR2T=Yes"
	case !p.Final && now == first:
		return "F is clear although no unsolicited data can follow"
	}
	return ""
}

// newTask takes a task from the free list, or makes one while there are not as many as are in use together.
func (c *conn) newTask(p *pdu.SCSICommand) *task {
	t := c.free
	if t == nil {
		t = new(task)
	} else {
		c.free = t.chain
	}
	*t = task{
		conn:      c,
		lun:       c.target.unitAt(uint64(p.LUN)),
		op:        commands[p.CDB[0]],
		itt:       p.ITT,
		cmdSN:     p.CmdSN,
		lunField:  p.LUN,
		cdb:       p.CDB,
		state:     taskReceiving,
		immediate: p.Immediate,
		written:   p.Write,
		readable:  p.Read,
		edtl:      p.ExpectedDataTransferLength,
		unsol:     !p.Final,
	}
	if t.immediate {
		c.immediates++
	}
	c.tasks.add(t)
	return t
}

// prepare finds out what the command wants and where, or why it cannot have it.
func (t *task) prepare(ahs []byte) {
	t.count1()
	t.admit(ahs)
	if t.failed() {
		t.discard = true
		return
	}
	t.op.prepare(t)
	t.want = t.need
	if !t.written {
		t.want = 0
	}
	t.want = min(t.want, t.edtl)
	if t.failed() {
		t.discard = true
	}
	t.conn.target.faults.meet(t)
	if t.want > 0 && !t.discard && t.buf == nil && (t.op.collect || !t.lun.lends() || t.rule != nil) {
		t.borrow(int(t.want))
	}
}

// count1 counts the command.
func (t *task) count1() {
	t.conn.portal.counters.Commands++
	if t.lun != nil {
		t.lun.counters.Commands[t.cdb[0]]++
	}
}

// admit refuses what no handler gets to see.
func (t *task) admit(ahs []byte) {
	if t.op == nil {
		t.op = &unknown
		if t.lun != nil {
			t.failCode(scsi.KeyIllegalRequest, scsi.CodeInvalidOpcode)
			return
		}
	}
	switch {
	case len(ahs) > 0:
		t.failCode(scsi.KeyIllegalRequest, scsi.CodeInvalidOpcode) // no command that is known here is longer than 16 bytes
	case t.written && t.readable:
		t.failCode(scsi.KeyIllegalRequest, scsi.CodeInvalidFieldInCDB) // nor bidirectional
	case t.op.always:
	case t.lun == nil:
		t.failCode(scsi.KeyIllegalRequest, scsi.CodeLUNotSupported)
	default:
		t.admitState()
	}
}

// admitState refuses a command because of what state the unit or the port is in.
func (t *task) admitState() {
	c := t.conn
	if len(c.attention) > 0 {
		if s, ok := c.takeAttention(t.lun); ok {
			t.fail(s)
			return
		}
	}
	if len(c.target.groups) > 0 {
		t.admitGroup()
	}
	if t.lun.stopped && t.op.medium {
		t.failCode(scsi.KeyNotReady, scsi.CodeNeedsStart)
	}
}

// release puts a task back. Nobody else knows it any more.
func (c *conn) release(t *task) {
	if t.state == taskIdle {
		return
	}
	c.tasks.remove(t)
	if t.immediate {
		c.immediates--
	}
	t.giveBack()
	t.state, t.rule, t.lun, t.op = taskIdle, nil, nil, nil
	t.chain, c.free = c.free, t
	if c.closed {
		c.checkOver()
	}
}
