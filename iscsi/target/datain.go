package target

import (
	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// emit puts the task's next PDU into the window: an R2T, a Data-In, or the SCSI Response.
func (t *task) emit(c *conn) (more bool) {
	switch {
	case t.aborted:
		t.queued = false
		c.release(t)
		return false
	case t.state == taskReceiving:
		return t.emitR2T()
	case t.sent < t.give:
		return t.emitDataIn()
	}
	t.emitResponse()
	return false
}

// emitDataIn sends as much as one PDU carries, from where it is. The last one has the status with it, where nothing speaks against
// that: RFC 7143 11.7.3 allows it for a command that needs no sense data.
func (t *task) emitDataIn() (more bool) {
	c := t.conn
	n, endOfBurst := t.pieceLen()
	last := t.sent+n == t.give
	shape := &c.target.faults.shape
	p := pdu.DataIn{
		Final:             last || endOfBurst,
		HasStatus:         last && !shape.SeparateStatus && t.status == scsi.StatusGood,
		DataSegmentLength: n,
		ITT:               t.itt,
		TTT:               pdu.ReservedTag,
		ExpCmdSN:          c.expCmdSN,
		DataSN:            t.dataSN,
		BufferOffset:      t.sent,
	}
	data := t.piece(n)
	if p.HasStatus {
		c.answered(t.immediate)
		p.Status, p.StatSN = uint8(t.status), c.takeStatSN()
		over, under := t.residual()
		p.Overflow, p.Underflow, p.ResidualCount = over > 0, under > 0, over+under
	}
	p.MaxCmdSN = c.maxCmdSN()
	t.sent += n
	t.burst += n
	if p.Final {
		t.burst = 0
	}
	t.dataSN = t.dataSN.Next()
	c.countRead(t, n)
	b := c.window.header()
	p.Encode(b)
	t.distort(b)
	c.put(data)
	if p.HasStatus {
		t.isSent()
		return false
	}
	return true
}

// pieceLen is the length of the next Data-In, and whether it ends a sequence because MaxBurstLength allows no more.
func (t *task) pieceLen() (n uint32, endOfBurst bool) {
	c := t.conn
	n = min(t.give-t.sent, uint32(c.par.MaxXmitDataSegmentLength), maxLend)
	burst := uint32(c.par.MaxBurstLength)
	shape := &c.target.faults.shape
	if shape.active {
		n, burst = shape.cut(t, n, burst)
	}
	if t.burst+n >= burst {
		return burst - t.burst, true
	}
	return n, false
}

func (t *task) piece(n uint32) []byte {
	if t.buf != nil {
		return t.buf[t.sent : t.sent+n]
	}
	return t.lun.mem.Lend(t.off+int64(t.sent), int(n))
}

func (c *conn) countRead(t *task, n uint32) {
	c.portal.counters.ReadBytes += uint64(n)
	if t.lun != nil {
		t.lun.counters.ReadBytes += uint64(n)
	}
}

// emitResponse sends the SCSI Response, with the sense data if there is any.
func (t *task) emitResponse() {
	c := t.conn
	c.answered(t.immediate)
	var sense []byte
	if t.status == scsi.StatusCheckCondition {
		sense = scsi.AppendResponseSense(nil, t.sense)
	}
	over, under := t.residual()
	p := pdu.SCSIResponse{
		Overflow: over > 0, Underflow: under > 0, ResidualCount: over + under,
		Status:            uint8(t.status),
		DataSegmentLength: uint32(len(sense)),
		ITT:               t.itt,
		StatSN:            c.takeStatSN(),
		ExpCmdSN:          c.expCmdSN,
		MaxCmdSN:          c.maxCmdSN(),
		ExpDataSN:         t.dataSN + t.r2tSN,
	}
	b := c.window.header()
	p.Encode(b)
	t.distort(b)
	c.put(sense)
	t.isSent()
}

// isSent leaves the task to the window, which frees it when it was written.
func (t *task) isSent() {
	t.state, t.queued = taskSent, false
	t.conn.window.done = append(t.conn.window.done, t)
}
