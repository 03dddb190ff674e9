package iscsi

import (
	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// residual is how far the data of a command missed ExpectedDataTransferLength (RFC 7143, section 11.4.5).
type residual struct {
	over, under bool
	count       uint32
}

func (c *conn) beginResponse(b *pdu.BHS) error {
	in := &c.in.response
	if err := in.Decode(b); err != nil {
		return err
	}
	t, err := c.taskOf(pdu.OpSCSIResponse, in.ITT)
	c.in.task = t
	return err
}

func (c *conn) endResponse() error {
	in := &c.in.response
	if err := c.window.update(in.ExpCmdSN, in.MaxCmdSN); err != nil {
		return err
	}
	if err := c.window.status(in.StatSN); err != nil {
		return err
	}
	t := c.in.task
	if in.Response != pdu.ResponseCompleted {
		c.finish(t, &blockdev.Error{
			Outcome: blockdev.Failed, Code: blockdev.CodeIO, Where: t.lun.String(),
			Err: protocolError("response %v instead of a status", in.Response),
		})
		return nil
	}
	return c.answered(t, scsi.Status(in.Status), residual{in.Overflow, in.Underflow, in.ResidualCount})
}

// answered takes the target's status of a command. GOOD is believed only if all the data was moved.
func (c *conn) answered(t *task, status scsi.Status, res residual) error {
	switch status {
	case scsi.StatusGood, scsi.StatusConditionMet:
		c.finish(t, t.checkTransfer(res))
		return nil
	}
	sense, ok := scsi.ParseResponseSense(c.rx.control)
	harmless := sense.Key == scsi.KeyRecoveredError || sense.Key == scsi.KeyNoSense
	if ok && status == scsi.StatusCheckCondition && harmless && !sense.Deferred {
		c.finish(t, t.checkTransfer(res))
		return nil
	}
	err := t.statusError(status, sense, ok)
	if ok {
		t.lun.hearSense(sense)
	}
	c.finish(t, err)
	return nil
}

// checkTransfer holds what was transferred against what was asked.
func (t *task) checkTransfer(res residual) error {
	short := res.under && res.count > 0
	if t.req == nil { // the control plane asks for more than there may be
		return nil
	}
	moved := t.got
	if t.dir == dataOut {
		moved = t.given
		short = short || t.pinned > 0 // it cannot have what is still in our queue
	}
	if t.dir != noData && moved < t.length {
		short = true
	}
	if !short && !res.over {
		return nil
	}
	return &blockdev.Error{
		Outcome: blockdev.Failed, Code: blockdev.CodeIO, Where: t.lun.String(),
		Err: protocolError("%v answered GOOD after %d of %d bytes (residual %d)", scsi.OpcodeOf(&t.cdb), moved, t.length, res.count),
	}
}
