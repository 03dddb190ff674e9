package target

import (
	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// take puts the next bytes of a command's data where they belong, or forgets them.
func (t *task) take(data []byte) {
	off := t.got
	t.got += uint32(len(data))
	if t.discard || off >= t.want {
		return
	}
	data = data[:min(len(data), int(t.want-off))]
	t.lunWrote(len(data))
	if t.buf != nil {
		copy(t.buf[off:], data)
		return
	}
	_, _ = t.lun.mem.WriteAt(data, t.off+int64(off)) // memory does not fail
}

func (t *task) lunWrote(n int) {
	t.conn.portal.counters.WroteBytes += uint64(n)
	if t.lun != nil {
		t.lun.counters.WroteBytes += uint64(n)
	}
}

// advance decides what a task that is receiving does next: wait, ask, execute or answer. A command that failed is answered when what
// the initiator announced has come.
func (t *task) advance() {
	switch {
	case t.unsol || t.nr2ts > 0 && (t.discard || t.asked >= t.want):
		return
	case t.got < t.want && !t.discard:
		t.ask()
	default:
		t.execute()
	}
}

// ask makes R2Ts for what is missing, as many as may be outstanding.
func (t *task) ask() {
	c := t.conn
	t.asked = max(t.asked, t.got)
	limit := min(c.par.MaxOutstandingR2T, maxR2Ts)
	for t.nr2ts < limit && t.asked < t.want {
		t.asked += min(t.want-t.asked, uint32(c.par.MaxBurstLength))
		t.r2ts[t.nr2ts] = r2t{ttt: c.newTTT(), end: t.asked}
		t.nr2ts++
		t.r2tUnsent++
	}
	if t.r2tUnsent > 0 && !t.queued {
		t.queued = true
		c.enqueue(t)
	}
}

func (c *conn) newTTT() uint32 {
	if c.nextTTT++; c.nextTTT == pdu.ReservedTag {
		c.nextTTT = 1
	}
	return c.nextTTT
}

// emitR2T sends the next R2T of the task.
func (t *task) emitR2T() (more bool) {
	c := t.conn
	if t.r2tUnsent == 0 {
		t.queued = false
		return false
	}
	i := t.nr2ts - int(t.r2tUnsent)
	from := t.got
	if i > 0 {
		from = t.r2ts[i-1].end
	}
	p := pdu.R2T{
		LUN: t.lunField, ITT: t.itt, TTT: t.r2ts[i].ttt,
		StatSN: c.statSN, ExpCmdSN: c.expCmdSN, MaxCmdSN: c.maxCmdSN(),
		R2TSN: t.r2tSN, BufferOffset: from, DesiredDataLength: t.r2ts[i].end - from,
	}
	t.distortR2T(&p)
	p.Encode(c.window.header())
	c.put(nil)
	c.portal.counters.R2Ts++
	t.lun.counters.R2Ts++
	t.r2tSN = t.r2tSN.Next()
	t.r2tUnsent--
	t.queued = t.r2tUnsent > 0
	return t.queued
}

// recvDataOut takes a Data-Out, which must be the next one of its sequence.
func (c *conn) recvDataOut(f *pdu.Frame) {
	var p pdu.DataOut
	if err := p.Decode(f.BHS); err != nil {
		c.violate("%v", err)
		return
	}
	if !c.checkExpStatSN(p.ExpStatSN) {
		return
	}
	t := c.tasks.find(p.ITT)
	if t == nil || t.aborted {
		c.strayDataOut(&p)
		return
	}
	why := ""
	if p.TTT == pdu.ReservedTag {
		why = t.takeUnsolicited(&p, f.Data)
	} else {
		why = t.takeSolicited(&p, f.Data)
	}
	if why != "" {
		c.badDataOut(f, &p, why)
		return
	}
	t.advance()
}

// strayDataOut is for a command that is not there. Data for one that was aborted may still be on its way.
func (c *conn) strayDataOut(p *pdu.DataOut) {
	if !c.gone.has(p.ITT) {
		c.violate("Data-Out for the task %#x, which does not exist", p.ITT)
	}
}

func (c *conn) badDataOut(f *pdu.Frame, p *pdu.DataOut, why string) {
	if c.target.cfg.Lenient {
		c.reject(f, pdu.RejectInvalidPDUField)
		return
	}
	c.violate("Data-Out of task %#x, offset %d, DataSN %d: %s", p.ITT, p.BufferOffset, p.DataSN, why)
}

// takeUnsolicited takes a part of the first burst. The burst ends with F, and not before FirstBurstLength or all of the data.
func (t *task) takeUnsolicited(p *pdu.DataOut, data []byte) string {
	limit := min(uint32(t.conn.par.FirstBurstLength), t.edtl)
	end := t.got + uint32(len(data))
	switch {
	case !t.unsol:
		return "no unsolicited data is to come"
	case p.DataSN != t.unsolSN:
		return "DataSN is out of order"
	case p.BufferOffset != t.got:
		return "the offset is out of order"
	case end > limit:
		return "more than the first burst"
	case p.Final != (end == limit):
		return "F does not mark the end of the first burst"
	}
	t.unsolSN = t.unsolSN.Next()
	t.unsol = !p.Final
	t.take(data)
	return ""
}

// takeSolicited takes a part of what the oldest R2T asked for.
func (t *task) takeSolicited(p *pdu.DataOut, data []byte) string {
	r := &t.r2ts[0]
	end := t.got + uint32(len(data))
	switch {
	case t.nr2ts == 0 || p.TTT != r.ttt || int(t.r2tUnsent) == t.nr2ts:
		return "the Target Transfer Tag is not that of the oldest R2T"
	case p.LUN != t.lunField:
		return "the LUN is not that of the R2T"
	case p.DataSN != r.dataSN:
		return "DataSN is out of order"
	case p.BufferOffset != t.got:
		return "the offset is out of order"
	case end > r.end:
		return "more than the R2T asked for"
	case p.Final != (end == r.end):
		return "F does not mark the end of what the R2T asked for"
	}
	r.dataSN = r.dataSN.Next()
	if p.Final {
		t.nr2ts--
		copy(t.r2ts[:], t.r2ts[1:1+t.nr2ts])
	}
	t.take(data)
	return ""
}
