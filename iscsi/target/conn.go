package target

import (
	"net"

	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/iscsi/login"
	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// A conn is a session's connection in the full feature phase. It belongs to the loop.
//
//	recv.go    1. read what there is, take it apart into PDUs
//	command.go 2. a SCSI Command becomes a task
//	dataout.go 3. its data comes, asked for or not
//	execute.go 4. it is executed, by the loop or by a worker
//	datain.go  5. its answer is put into the transmit window when its turn comes
//	send.go    6. the window is written once a turn
type conn struct {
	target  *Target
	portal  *portal
	session *session
	watch   *loop.Watch
	par     login.Params
	local   net.Addr

	// Receiving.
	in     inbuf
	paused bool // too much is waiting to be written: nothing is read

	// Sequence numbers.
	expCmdSN    pdu.Serial
	statSN      pdu.Serial // the next one
	outstanding uint32     // commands that took a CmdSN and are not answered
	nextTTT     uint32

	// Tasks.
	tasks      taskTable
	free       *task // chained
	immediates int   // outstanding immediate commands
	gone       abortedTags
	attention  map[*lun]scsi.Sense // unit attentions to be told

	// Sending.
	queue   queue
	replies int // of the queue's, those that are not tasks
	window  window
	dirty   bool // on the loop's list
	blocked bool // the socket takes no more for now

	text    textExchange
	logout  bool // the last answer is on its way; nothing more is read
	closed  bool
	over    bool // nothing is left of it
	stalled bool // a fault: neither reads nor writes
	ping    pinger
}

var (
	_ loop.Handler = (*conn)(nil)
	_ loop.Runner  = (*conn)(nil)
)

func newConn(p *portal, s *session, par *login.Params, local net.Addr) *conn {
	return &conn{
		target:   p.target,
		portal:   p,
		session:  s,
		par:      *par,
		local:    local,
		in:       newInbuf(par.MaxRecvDataSegmentLength),
		expCmdSN: par.CmdSN,
		statSN:   par.ExpStatSN,
	}
}

func (c *conn) discovery() bool { return c.par.SessionType == login.Discovery }

// maxCmdSN never goes back: a command that comes takes its place in the window, and its answer opens another one.
func (c *conn) maxCmdSN() pdu.Serial {
	return c.expCmdSN.Add(uint32(c.target.cfg.QueueDepth) - c.outstanding - 1)
}

// Ready is the loop's word that the socket can be used.
func (c *conn) Ready(ev loop.Events) {
	if ev&loop.Writable != 0 {
		c.blocked = false
		c.markDirty()
	}
	if ev&loop.Readable != 0 && c.listening() {
		c.receive()
	}
}

func (c *conn) listening() bool { return !c.paused && !c.stalled && !c.logout && !c.closed }

// watchFor tells the loop what the connection can use.
func (c *conn) watchFor() {
	var ev loop.Events
	if c.listening() {
		ev |= loop.Readable
	}
	if c.blocked && !c.stalled {
		ev |= loop.Writable
	}
	if err := c.watch.Want(ev); err != nil {
		c.close(true, err.Error())
	}
}

// close ends the connection, with a reset if abort is set. Tasks end with it, except those at a worker and those that a rule keeps.
func (c *conn) close(abort bool, why string) {
	if c.closed {
		return
	}
	c.closed = true
	c.target.log.Info("connection closed", "portal", c.portal.name, "initiator", c.par.InitiatorName, "why", why)
	c.ping.stop()
	if abort {
		_ = c.watch.Abort()
	} else {
		_ = c.watch.Close()
	}
	c.portal.leave(c)
	c.dropWindow()
	c.tasks.each(func(t *task) {
		if t.rule == nil || !t.rule.survives(t) {
			c.abort(t)
		}
	})
	c.target.loop.Later((*farewell)(c))
}

// farewell looks whether anything is left of a closed connection, once nobody is in the middle of using it.
type farewell conn

func (f *farewell) Run() { (*conn)(f).checkOver() }

func (c *conn) abortAll() { c.tasks.each(c.abort) }

// checkOver ends the session when its connection is closed and its last task is gone.
func (c *conn) checkOver() {
	if !c.closed || c.over || c.tasks.n > 0 {
		return
	}
	c.over = true
	t := c.target
	t.forget(c.session)
	t.live--
	if t.live > 0 {
		return
	}
	for _, fn := range t.over {
		fn()
	}
	t.over = nil
}
