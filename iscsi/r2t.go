package iscsi

import (
	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// burst is a sequence of Data-Out PDUs that is due: the answer to one R2T, or a command's unsolicited data.
type burst struct {
	task   *task
	itt    uint32 // of the task when the burst was queued: it may have ended since
	ttt    uint32
	lun    pdu.LUN
	offset uint32 // of the next PDU, in bytes of the command's data
	left   uint32 // bytes to send
	dataSN pdu.Serial
}

// beginR2T checks an R2T against its task: a target that asks for bytes which we do not have is broken or hostile (RFC 7143,
// section 11.8).
func (c *conn) beginR2T(b *pdu.BHS) error {
	in := &c.in.r2t
	if err := in.Decode(b); err != nil {
		return err
	}
	t, err := c.taskOf(pdu.OpR2T, in.ITT)
	if err != nil {
		return err
	}
	switch {
	case t.dir != dataOut:
		return protocolError("R2T for a command that writes nothing (%v)", scsi.OpcodeOf(&t.cdb))
	case in.R2TSN != t.dataSN:
		return protocolError("R2T with R2TSN %d, expected %d", in.R2TSN, t.dataSN)
	case uint64(in.BufferOffset)+uint64(in.DesiredDataLength) > uint64(t.length):
		return protocolError("R2T for %d bytes at %d of %d", in.DesiredDataLength, in.BufferOffset, t.length)
	case int(in.DesiredDataLength) > c.param.MaxBurstLength:
		return protocolError("R2T for %d bytes, MaxBurstLength is %d", in.DesiredDataLength, c.param.MaxBurstLength)
	case uint64(t.asked)+uint64(in.DesiredDataLength) > uint64(t.length):
		return protocolError("R2T for %d bytes after %d of %d were asked for", in.DesiredDataLength, t.asked, t.length)
	case t.r2ts >= c.param.MaxOutstandingR2T:
		return protocolError("more than %d R2Ts outstanding", c.param.MaxOutstandingR2T)
	}
	t.dataSN = t.dataSN.Next()
	c.in.task = t
	return nil
}

func (c *conn) endR2T() error {
	in, t := &c.in.r2t, c.in.task
	if err := c.window.update(in.ExpCmdSN, in.MaxCmdSN); err != nil {
		return err
	}
	t.r2ts++
	t.asked += in.DesiredDataLength
	t.sentAt = c.heard
	c.s.counters.R2Ts++
	c.bursts.push(burst{task: t, itt: t.itt, ttt: in.TTT, lun: in.LUN, offset: in.BufferOffset, left: in.DesiredDataLength})
	c.flushLater()
	return nil
}
