package iscsi

import (
	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// incoming is the PDU that is being received. Which field counts follows from op. They are kept here so that decoding one
// allocates nothing.
type incoming struct {
	op       pdu.Opcode
	task     *task // of a Data-In, R2T or SCSI Response
	dataIn   pdu.DataIn
	response pdu.SCSIResponse
	r2t      pdu.R2T
	nop      pdu.NOPIn
	async    pdu.Async
	reject   pdu.Reject
	logout   pdu.LogoutResponse
	mgmt     pdu.TaskMgmtResponse
}

// begin decodes a header and refuses what must not be.
func (c *conn) begin(b *pdu.BHS) error {
	in := &c.in
	in.op, in.task = pdu.OpcodeOf(b), nil
	switch in.op {
	case pdu.OpDataIn:
		return c.beginDataIn(b)
	case pdu.OpSCSIResponse:
		return c.beginResponse(b)
	case pdu.OpR2T:
		return c.beginR2T(b)
	case pdu.OpNOPIn:
		return in.nop.Decode(b)
	case pdu.OpAsync:
		return in.async.Decode(b)
	case pdu.OpReject:
		return in.reject.Decode(b)
	case pdu.OpLogoutResponse:
		return in.logout.Decode(b)
	case pdu.OpTaskMgmtResponse:
		return in.mgmt.Decode(b)
	}
	return protocolError("a %v, which has no place in this session", in.op)
}

// data takes a piece of the data segment, bytes lo to hi of the chunk.
func (c *conn) data(ch *blockdev.Chunk, lo, hi int) {
	if c.in.op == pdu.OpDataIn {
		c.takeDataIn(ch, lo, hi)
		return
	}
	if c.rx.control == nil {
		c.rx.control = make([]byte, 0, maxControl)
	}
	n := min(hi-lo, maxControl-len(c.rx.control))
	c.rx.control = append(c.rx.control, ch.Bytes[lo:lo+n]...)
}

// end lets the PDU take effect: it is whole.
func (c *conn) end() error {
	in := &c.in
	switch in.op {
	case pdu.OpDataIn:
		return c.endDataIn()
	case pdu.OpSCSIResponse:
		return c.endResponse()
	case pdu.OpR2T:
		return c.endR2T()
	case pdu.OpNOPIn:
		return c.onNOPIn(&in.nop)
	case pdu.OpAsync:
		return c.onAsync(&in.async)
	case pdu.OpReject:
		return c.onReject(&in.reject)
	case pdu.OpLogoutResponse:
		return c.onLogout(&in.logout)
	case pdu.OpTaskMgmtResponse:
		return c.onTaskMgmt(&in.mgmt)
	}
	return nil
}

// taskOf is the task that a PDU of the target is about. One that we do not know, or of an earlier use of its slot, must not
// touch anything.
func (c *conn) taskOf(op pdu.Opcode, itt uint32) (*task, error) {
	t := c.tasks.find(itt)
	if t == nil {
		return nil, protocolError("a %v for task %08x, which is not in flight", op, itt)
	}
	return t, nil
}
