package iscsi

import (
	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// beginDataIn checks a Data-In against its task: with DataPDUInOrder and DataSequenceInOrder there is only one offset that it
// can have, and a gap means a loss (RFC 7143, section 11.7).
func (c *conn) beginDataIn(b *pdu.BHS) error {
	in := &c.in.dataIn
	if err := in.Decode(b); err != nil {
		return err
	}
	t, err := c.taskOf(pdu.OpDataIn, in.ITT)
	if err != nil {
		return err
	}
	switch {
	case t.dir != dataIn:
		return protocolError("Data-In for a command that reads nothing (%v)", scsi.OpcodeOf(&t.cdb))
	case in.DataSN != t.dataSN:
		return protocolError("Data-In with DataSN %d, expected %d", in.DataSN, t.dataSN)
	case in.BufferOffset != t.got:
		return protocolError("Data-In at offset %d, expected %d", in.BufferOffset, t.got)
	case in.DataSegmentLength > t.length-t.got:
		return protocolError("Data-In for bytes %d to %d of %d", t.got, uint64(t.got)+uint64(in.DataSegmentLength), t.length)
	}
	t.dataSN = t.dataSN.Next()
	t.sentAt = c.heard
	c.in.task = t
	return nil
}

// takeDataIn hands payload over. A READ refers to it where it lies; a command of the control plane copies it out.
func (c *conn) takeDataIn(ch *blockdev.Chunk, lo, hi int) {
	t := c.in.task
	if t.req != nil {
		ch.Keep()
		t.req.Data = append(t.req.Data, ch.Slice(lo, hi))
		c.expected -= uint64(hi - lo)
	} else {
		copy(t.command.In[t.got:], ch.Bytes[lo:hi])
	}
	t.got += uint32(hi - lo)
}

// endDataIn ends the command if the status came with the data.
func (c *conn) endDataIn() error {
	in := &c.in.dataIn
	if err := c.window.update(in.ExpCmdSN, in.MaxCmdSN); err != nil {
		return err
	}
	if !in.HasStatus {
		return nil
	}
	if err := c.window.status(in.StatSN); err != nil {
		return err
	}
	return c.answered(c.in.task, scsi.Status(in.Status), residual{in.Overflow, in.Underflow, in.ResidualCount})
}
