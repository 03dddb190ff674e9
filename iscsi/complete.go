package iscsi

import (
	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// step is where a request stands that takes more than one command.
type step uint8

const (
	stepOnly   step = iota // the request's own command; most have no other
	stepZeroes             // WRITE_ZEROES by writing zeroes, piece by piece
	stepSync               // SYNCHRONIZE CACHE for a FLUSH, or behind a command whose FUA the unit does not do itself
)

// finish takes a task off the connection with its result. As long as the transmit queue refers to its memory the result waits.
func (c *conn) finish(t *task, err error) {
	if t.queued {
		c.tasks.remove(t)
		t.queued = false
		if t.dir == dataIn && t.req != nil {
			c.expected -= uint64(t.length - t.got)
		}
	}
	t.err = err
	if t.pinned > 0 {
		t.finished = true
		return
	}
	c.s.complete(t)
}

// complete gives the request back, or sends the next command that it needs.
func (s *Session) complete(t *task) {
	t.finished = false
	if t.req != nil && s.next(t) {
		return
	}
	u, req, command, err := t.lun, t.req, t.command, t.err
	if command != nil {
		command.got = int(t.got)
	}
	s.putTask(t)
	u.inFlight--
	if req == nil {
		command.finish(err)
		u.checkDrained()
		return
	}
	s.lend(req, err)
	req.Complete(err)
	u.checkDrained()
}

// next starts the request's next command, if there is one.
func (s *Session) next(t *task) bool {
	u := t.lun
	switch {
	case t.err != nil && t.step == stepOnly && t.req.Op == blockdev.WriteZeroes && refusesWriteSame(t.err):
		return u.zeroByWriting(t)
	case t.err != nil:
		return false
	case t.step == stepZeroes:
		t.done += uint64(t.length)
		if t.done < t.req.Length {
			return u.zeroNext(t)
		}
	}
	if t.step != stepSync && t.req.Flags&blockdev.FlagFUA != 0 && u.needsSync(t) {
		return u.syncAfter(t)
	}
	return false
}

// refusesWriteSame says that the unit does not know WRITE SAME, or not this form of it.
func refusesWriteSame(err error) bool {
	e := blockdev.AsError(err)
	return e.SCSI.HasSense && scsi.SenseKey(e.SCSI.Key) == scsi.KeyIllegalRequest && (e.SCSI.ASC == 0x20 || e.SCSI.ASC == 0x24)
}

// lend makes the references that a READ has collected end with the turn, or, where it failed, at once.
func (s *Session) lend(req *blockdev.Request, err error) {
	if req.Op != blockdev.Read {
		return
	}
	if err != nil {
		for i := range req.Data {
			req.Data[i].Drop()
		}
		req.Data = req.Data[:0]
		return
	}
	s.lent = append(s.lent, req.Data...)
	if !s.ending {
		s.ending = true
		s.loop.AtEnd(turnEnd{s})
	}
}

// turnEnd takes back what was lent for the turn.
type turnEnd struct{ s *Session }

func (e turnEnd) Run() {
	e.s.ending = false
	for i := range e.s.lent {
		e.s.lent[i].Drop()
		e.s.lent[i] = blockdev.Segment{}
	}
	e.s.lent = e.s.lent[:0]
}
