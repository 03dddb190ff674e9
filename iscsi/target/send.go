package target

import (
	"errors"

	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/iscsi/pdu"
)

func (c *conn) markDirty() {
	if !c.dirty && !c.closed {
		c.dirty = true
		c.target.loop.Dirty(c)
	}
}

// enqueue gives something its turn on the wire.
func (c *conn) enqueue(e emitter) {
	c.queue.push(e)
	c.markDirty()
}

// Run is the flush stage: fill the window, write it, for as long as the socket takes it.
func (c *conn) Run() {
	c.dirty = false
	for !c.closed && !c.stalled && !c.blocked {
		if c.window.empty() {
			c.windowWritten()
			c.fill()
		}
		if c.closed || c.window.empty() {
			break
		}
		c.write()
	}
	if c.closed {
		return
	}
	if c.logout && c.queue.len() == 0 && c.window.empty() {
		c.close(false, "logged out")
		return
	}
	c.watchFor()
	if c.paused && c.queue.len() == 0 {
		c.resume()
	}
}

// fill encodes what is waiting, in order, until the window is full.
func (c *conn) fill() {
	for c.queue.len() > 0 && !c.window.full() && !c.closed {
		if more := c.queue.peek().emit(c); !more && !c.closed {
			c.queue.pop()
		}
	}
}

func (c *conn) write() {
	n, err := c.watch.Socket.Writev(c.window.rest())
	switch {
	case errors.Is(err, loop.ErrAgain):
		c.blocked = true
		return
	case err != nil:
		c.close(true, err.Error())
		return
	}
	c.window.wrote(n)
	c.blocked = !c.window.empty()
}

// windowWritten frees the tasks whose answers are out.
func (c *conn) windowWritten() {
	for i, t := range c.window.done {
		c.window.done[i] = nil
		c.release(t)
	}
	c.window.done = c.window.done[:0]
	c.window.reset()
}

// dropWindow is for a closed connection: nothing more will be written.
func (c *conn) dropWindow() {
	for i, t := range c.window.done {
		c.window.done[i] = nil
		c.release(t)
	}
	c.window.done = c.window.done[:0]
	for c.queue.len() > 0 {
		c.queue.pop()
	}
	c.replies = 0
}

// put encodes the digests of the PDU whose header is in the window's next slot, and takes it in.
func (c *conn) put(data []byte) {
	c.window.add(data, c.par.HeaderDigest, c.par.DataDigest)
}

// takeStatSN numbers a response.
func (c *conn) takeStatSN() pdu.Serial {
	s := c.statSN
	c.statSN = s.Next()
	return s
}

// answered gives the place in the window of a command that took a CmdSN back.
func (c *conn) answered(immediate bool) {
	if !immediate {
		c.outstanding--
	}
}

// A reply is an answer that is no task's. It is made for its purpose and forgotten.
type reply struct {
	encode    func(b *pdu.BHS) // it takes its numbers here
	data      []byte
	immediate bool // or none of a request's: it gives no place back
	then      func()
}

func (r *reply) emit(c *conn) bool {
	c.replies--
	c.answered(r.immediate)
	r.encode(c.window.header())
	c.put(r.data)
	if r.then != nil {
		r.then()
	}
	return false
}

func (c *conn) reply(r *reply) {
	c.replies++
	c.enqueue(r)
}
