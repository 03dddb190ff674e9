package nbd

import (
	"errors"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/pojntfx/go-nbd/pkg/protocol"
)

// The life of a request, on the loop:
//
//  1. take: a command from the connection's free list
//  2. submit: to the device, whole, or in pieces if it is larger than the device takes (cut.go)
//  3. Completed: the device is done. A WRITE's memory goes back
//  4. persist: a flush, if FUA was asked for and the device has none (fua.go)
//  5. reply: into the send queue (send.go); a READ's segments go with it
//  6. release: the reply is written. A READ's memory and its room go back, and so does the command

// command is one request of a client. It belongs to its connection; its req is the device's from submit to Completed.
type command struct {
	conn *conn
	next *command // in the free list, or the send queue

	req    blockdev.Request
	op     blockdev.Op
	length uint64
	handle uint64
	stable bool    // flush before the reply
	room   *uint64 // where a READ's length was added; nil otherwise

	header [replyLen]byte
	out    []blockdev.Segment // payload of the reply that is not written yet
	sent   int                // bytes of the header that are
	kept   bool               // we hold references to what is in out
}

var errShortRead = &blockdev.Error{Code: blockdev.CodeIO, Outcome: blockdev.Failed, Err: errors.New("nbd: the device answered a READ with the wrong number of bytes")}

// take gives a command for a request.
func (c *conn) take(h *protocol.TransmissionRequestHeader) *command {
	cmd := c.spare
	if cmd == nil {
		cmd = &command{conn: c}
	} else {
		c.spare, cmd.next = cmd.next, nil
	}
	cmd.handle = h.Handle
	c.inFlight++
	return cmd
}

// describe fills in the device's request.
func (cmd *command) describe(h *protocol.TransmissionRequestHeader, info *blockdev.Info) {
	cmd.op, cmd.length = known[h.Type].op, uint64(h.Length)
	r := &cmd.req
	r.Op, r.Flags = cmd.op, flagsOf(cmd.op, h.CommandFlags)
	r.Offset, r.Length = h.Offset, cmd.length
	if cmd.op == blockdev.Flush {
		r.Offset, r.Length, cmd.length = 0, 0, 0
	}
	cmd.stable = needsFlush(r, info)
}

// submit gives the request to the device. One of no bytes is done as it is.
func (cmd *command) submit(info *blockdev.Info) {
	r := &cmd.req
	if r.Length == 0 && r.Op != blockdev.Flush {
		cmd.reply(0)
		return
	}
	if limit := limitOf(r.Op, info); r.Length > limit {
		cmd.cut(limit, info)
		return
	}
	r.Push(cmd)
	cmd.conn.vol.dev.Submit(r)
}

// Completed implements blockdev.Completer.
func (cmd *command) Completed(r *blockdev.Request, err error) {
	if err == nil && r.Op == blockdev.Read && blockdev.SegmentsLen(r.Data) != r.Length {
		err = errShortRead
	}
	cmd.completed(err)
}

// completed ends the device's part.
func (cmd *command) completed(err error) {
	if cmd.op == blockdev.Write {
		cmd.dropData()
	}
	if err == nil && cmd.stable {
		cmd.persist()
		return
	}
	cmd.finish(err)
}

func (cmd *command) finish(err error) {
	s := cmd.conn.server
	s.stats.count(cmd.op, cmd.length, err)
	if err != nil && s.cfg.Failed != nil && cmd.conn.state < dead { // a client that is gone is told nothing
		s.cfg.Failed(cmd.conn.vol.export.Name, cmd.op, err)
	}
	if err == nil && cmd.op == blockdev.Read {
		cmd.out = cmd.req.Data
	}
	cmd.reply(errnoOf(cmd.op, err))
}

// reply queues the answer. What out holds goes with it.
func (cmd *command) reply(errno uint32) {
	encodeReply(&cmd.header, errno, cmd.handle)
	cmd.queue()
}

// dropData gives the references of a WRITE's payload back.
func (cmd *command) dropData() {
	for _, s := range cmd.req.Data {
		s.Drop()
	}
	cmd.req.Data = cmd.req.Data[:0]
}

// release ends a command: its reply was written, or never will be.
func (c *conn) release(cmd *command) {
	switch {
	case cmd.op == blockdev.Write:
		cmd.dropData()
	case cmd.kept:
		cmd.dropOut()
	}
	if cmd.room != nil {
		*cmd.room -= cmd.length
		c.vol.schedule()
	}
	clear(cmd.req.Data)
	data := cmd.req.Data[:0]
	*cmd = command{conn: c, next: c.spare}
	cmd.req.Data = data
	c.spare = cmd
	c.inFlight--
	c.win.trim()
	c.resumeLater()
	c.maybeEnd()
}
