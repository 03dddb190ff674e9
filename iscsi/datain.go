package iscsi

import (
	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// A READ is taken in pieces of leastSegment bytes on average and a few more: each costs us memory, whatever its size.
const (
	leastSegment = 512
	fewSegments  = 64
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
	if in.DataSegmentLength > 0 {
		t.sentAt = c.heard
	} else if !in.HasStatus {
		return protocolError("Data-In with neither data nor a status")
	}
	if t.req != nil && len(t.req.Data) > fewSegments+int(t.length)/leastSegment {
		return protocolError("Data-In in crumbs: %d bytes in %d pieces", t.got, len(t.req.Data))
	}
	t.dataSN = t.dataSN.Next()
	c.in.task = t
	return nil
}

// takeDataIn hands payload over. A READ refers to it where it lies; a command of the control plane copies it out.
func (c *conn) takeDataIn(ch *blockdev.Chunk, lo, hi int) {
	t := c.in.task
	if t.req != nil {
		c.expected -= uint64(hi - lo)
		if n := len(t.req.Data); n == 0 || !t.req.Data[n-1].Extend(ch, lo, hi) { // what one PDU brought in two reads is one piece
			ch.Keep()
			t.req.Data = append(t.req.Data, ch.Slice(lo, hi))
		}
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
