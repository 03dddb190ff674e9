package nbd

import "github.com/hawser-storage/hawser/blockdev/loop"

// The way of replies out. Everything runs on the loop:
//
//  1. queue: a reply is a header and, for a READ, segments that are lent until the end of the turn
//  2. flush, once a turn: one writev of all that is queued, [header | segments] [header | segments] ...
//  3. what the socket did not take is kept: now we hold references, and wait until it is writable
//  4. a reply that is wholly written is released, with its memory and its room
//
// A client that does not read gets no further than this queue: its READs hold their room, and its requests their places.

// maxIov is the buffers of one writev: IOV_MAX.
const maxIov = 1024

// queue adds the command's reply. If the client is gone it is dropped.
func (cmd *command) queue() {
	c := cmd.conn
	if c.state >= dead {
		c.release(cmd)
		return
	}
	if c.last == nil {
		c.first = cmd
	} else {
		c.last.next = cmd
	}
	c.last = cmd
	if c.fresh == nil {
		c.fresh = cmd
	}
	c.flushLater()
}

// pop takes the first reply off the queue.
func (c *conn) pop() *command {
	cmd := c.first
	c.first = cmd.next
	if c.first == nil {
		c.last = nil
	}
	if c.fresh == cmd {
		c.fresh = cmd.next
	}
	cmd.next = nil
	return cmd
}

// flush writes what it can and keeps the rest.
func (c *conn) flush() {
	for !c.blocked && c.first != nil {
		n, err := c.watch.Socket.Writev(c.gather())
		if err != nil && err != loop.ErrAgain {
			c.fail(err)
			return
		}
		c.blocked = !c.wrote(n)
	}
	c.keepRest()
	c.want()
}

// gather lists the queue's bytes, as many as fit one call.
func (c *conn) gather() [][]byte {
	iov := c.iov[:0]
	for cmd := c.first; cmd != nil && len(iov) < maxIov; cmd = cmd.next {
		if cmd.sent < replyLen {
			iov = append(iov, cmd.header[cmd.sent:])
		}
		for i := 0; i < len(cmd.out) && len(iov) < maxIov; i++ {
			iov = append(iov, cmd.out[i].Bytes)
		}
	}
	c.iov = iov
	return iov
}

// wrote takes the n bytes that the socket took off the queue, and reports whether those were all that it was given.
func (c *conn) wrote(n int) bool {
	total := 0
	for _, b := range c.iov {
		total += len(b)
	}
	all := n == total
	for c.first != nil {
		n = c.first.advance(n)
		if c.first.sent < replyLen || len(c.first.out) > 0 {
			break
		}
		c.release(c.pop())
	}
	return all
}

// advance passes over up to n bytes of the reply and returns what is left of n.
func (cmd *command) advance(n int) int {
	k := min(n, replyLen-cmd.sent)
	cmd.sent += k
	n -= k
	for len(cmd.out) > 0 {
		s := &cmd.out[0]
		if len(s.Bytes) > n {
			s.Bytes = s.Bytes[n:]
			return 0
		}
		n -= len(s.Bytes)
		if cmd.kept {
			s.Drop()
		}
		cmd.out = cmd.out[1:]
	}
	return n
}

// keepRest takes references to what is still queued, and was only lent.
func (c *conn) keepRest() {
	for cmd := c.fresh; cmd != nil; cmd = cmd.next {
		if cmd.kept {
			continue
		}
		cmd.kept = true
		for _, s := range cmd.out {
			s.Keep()
		}
	}
	c.fresh = nil
}

// dropOut gives the references back.
func (cmd *command) dropOut() {
	for _, s := range cmd.out {
		s.Drop()
	}
	cmd.out = nil
}
