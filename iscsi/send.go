package iscsi

import (
	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// The way of what goes to the target:
//
//  1. start: a command is queued if there is a slot for it, room, and the window is open; else it waits in the backlog
//  2. emit: its PDU, with immediate data as far as that was negotiated, goes to the transmit queue
//  3. Run, at the flush stage of the turn: Data-Out that is due is added, and one writev gives the socket all of it
//  4. settle: what the socket took is no longer pinned; there may be room for the backlog
//
// Nothing is written before the flush stage, so that all commands of a turn leave together.

// start is stage 1.
func (c *conn) start(t *task) {
	if c.backlog.len() > 0 || !c.admits() {
		c.backlog.push(t)
		return
	}
	c.emit(t)
}

func (c *conn) admits() bool {
	return !c.tasks.full() && c.window.open() && c.tx.room() && c.leaving == nil
}

// pump starts what has waited.
func (c *conn) pump() {
	for c.backlog.len() > 0 && c.admits() {
		c.emit(c.backlog.pop())
	}
}

// emit is stage 2.
func (c *conn) emit(t *task) {
	c.tasks.add(t)
	t.queued, t.sentAt = true, c.s.loop.Now()
	t.cmdSN = c.window.take()
	if t.dir == dataIn && t.req != nil {
		c.expected += uint64(t.length)
	}
	immediate, unsolicited := c.unsolicited(t)
	start := c.tx.queued
	h := c.tx.header()
	p := pdu.SCSICommand{
		Final:                      unsolicited == 0,
		Read:                       t.dir == dataIn,
		Write:                      t.dir == dataOut,
		Attr:                       pdu.AttrSimple,
		DataSegmentLength:          immediate,
		LUN:                        t.lun.wire,
		ITT:                        t.itt,
		ExpectedDataTransferLength: t.length,
		CmdSN:                      t.cmdSN,
		ExpStatSN:                  c.window.expStatSN,
		CDB:                        t.cdb,
	}
	p.Encode(h)
	c.tx.endHeader(h)
	c.tx.data(&t.out, 0, immediate)
	c.tx.own(start, t, true)
	t.given, t.asked = immediate, 0
	if unsolicited > 0 {
		c.bursts.push(burst{task: t, itt: t.itt, ttt: pdu.ReservedTag, offset: immediate, left: unsolicited})
	}
	c.flushLater()
}

// unsolicited is how many bytes go with the command, and how many follow it unasked: together at most FirstBurstLength
// (RFC 7143, section 4.2.5.2).
func (c *conn) unsolicited(t *task) (immediate, more uint32) {
	if t.dir != dataOut {
		return 0, 0
	}
	first := min(t.length, uint32(c.param.FirstBurstLength))
	if c.param.ImmediateData {
		immediate = min(first, uint32(c.param.MaxXmitDataSegmentLength))
	}
	if !c.param.InitialR2T {
		more = first - immediate
	}
	return immediate, more
}

func (c *conn) flushLater() {
	if !c.dirty {
		c.dirty = true
		c.s.loop.Dirty(c)
	}
}

// Run is stages 3 and 4.
func (c *conn) Run() {
	c.dirty = false
	for c.dead == nil {
		c.fill()
		if c.tx.empty() {
			_ = c.watch.Want(loop.Readable) // it was watched already
			return
		}
		full, err := c.tx.write(c.watch.Socket)
		c.tx.settle(c.unpin)
		if err != nil {
			c.fail(err)
			return
		}
		if full {
			if err := c.watch.Want(loop.Readable | loop.Writable); err != nil {
				c.fail(err)
			}
			return
		}
		c.pump()
	}
}

// fill adds Data-Out PDUs while there is room. A burst whose command has ended meanwhile is dropped.
func (c *conn) fill() {
	for c.bursts.len() > 0 && c.tx.room() {
		b := c.bursts.front()
		if c.tasks.find(b.itt) != b.task {
			c.bursts.pop()
			continue
		}
		c.emitDataOut(b)
		if b.left == 0 {
			if b.ttt != pdu.ReservedTag {
				b.task.r2ts--
			}
			c.bursts.pop()
		}
	}
}

func (c *conn) emitDataOut(b *burst) {
	n := min(b.left, uint32(c.param.MaxXmitDataSegmentLength))
	start := c.tx.queued
	h := c.tx.header()
	p := pdu.DataOut{
		Final:             n == b.left,
		DataSegmentLength: n,
		LUN:               b.lun,
		ITT:               b.itt,
		TTT:               b.ttt,
		ExpStatSN:         c.window.expStatSN,
		DataSN:            b.dataSN,
		BufferOffset:      b.offset,
	}
	p.Encode(h)
	c.tx.endHeader(h)
	c.tx.data(&b.task.out, b.offset, n)
	c.tx.own(start, b.task, false)
	b.dataSN = b.dataSN.Next()
	b.task.sentAt = c.s.loop.Now()
	if b.offset <= b.task.given {
		b.task.given = max(b.task.given, b.offset+n)
	}
	b.offset += n
	b.left -= n
}

// unpin takes note that the transmit queue refers to the task's memory once less.
func (c *conn) unpin(t *task) {
	t.pinned--
	if t.pinned == 0 && t.finished {
		c.s.complete(t)
	}
}
