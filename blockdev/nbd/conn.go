package nbd

import (
	"net"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
)

// conn is one client in the transmission phase. It lives on the loop until its socket is closed and no request of its is in
// flight; the requests of a client that vanished are finished and their replies dropped.
//
//	open      reads requests, writes replies
//	draining  reads no more; ends when the last reply is written (DISC, end of stream, server closing)
//	dead      the socket is closed; ends when the last request has come back
type conn struct {
	server *Server
	vol    *volume
	loop   *loop.Loop
	watch  *loop.Watch
	state  state
	err    error // why it died

	// Receiving (recv.go).
	win       window
	ahead     int      // bytes that a read should have room for
	current   *command // the WRITE whose payload is being received, or skipped
	skip      uint64   // bytes of a refused payload that are still to come
	paused    bool     // reads nothing until resume
	pausedAt  uint64   // the turn in which it paused
	line      *line    // where it waits for room (volume.go), or nil
	resumeDue bool

	// In flight (command.go).
	inFlight int
	spare    *command // free list
	cuts     []*cut   // free list
	reading  uint64   // bytes of READs that the budget had no room for

	// Sending (send.go).
	first    *command // replies in the order in which they go out
	last     *command
	fresh    *command // the first whose payload is only lent
	iov      [][]byte
	blocked  bool // the socket took less than it was given
	flushDue bool
}

type state uint8

const (
	open state = iota
	draining
	dead
	gone
)

// startConn takes the connection over.
func startConn(s *Server, v *volume, nc net.Conn) error {
	raiseSendBuffer(nc, s.cfg.SendBuffer)
	c := &conn{server: s, vol: v, loop: s.loop, ahead: minAhead}
	c.win = window{arena: v.arena, shared: &v.quota, own: blockdev.Quota{Max: ownChunks}, copied: &s.stats.CopiedBytes}
	w, err := s.loop.Adopt(nc, c)
	if err != nil {
		return err
	}
	c.watch = w
	s.conns = append(s.conns, c)
	return nil
}

// Ready implements loop.Handler. A socket that is not watched for reading and yet is readable has been closed or broken by the
// client, unless the event is from before it paused in this same turn.
func (c *conn) Ready(ev loop.Events) {
	if ev&loop.Writable != 0 && c.blocked {
		c.blocked = false
		c.flushLater()
	}
	switch {
	case ev&loop.Readable == 0:
	case c.state == open && !c.paused:
		c.receive()
	case c.pausedAt != c.loop.Turns():
		c.fail(errVanished)
	}
}

// want tells the loop what the socket is waited for.
func (c *conn) want() {
	var ev loop.Events
	if c.state == open && !c.paused {
		ev |= loop.Readable
	}
	if c.blocked {
		ev |= loop.Writable
	}
	if err := c.watch.Want(ev); err != nil {
		c.fail(err)
	}
}

// pause stops reading until resume.
func (c *conn) pause() {
	c.paused, c.pausedAt = true, c.loop.Turns()
	c.win.trim()
	c.want()
}

// drain stops reading for good, and lets what is in flight end.
func (c *conn) drain() {
	if c.state != open {
		return
	}
	c.state, c.pausedAt = draining, c.loop.Turns()
	c.stopReceiving()
	c.want()
	c.maybeEnd()
}

// fail closes the socket.
func (c *conn) fail(err error) {
	if c.state >= dead {
		return
	}
	c.state, c.err = dead, err
	_ = c.watch.Abort() // there is nobody to tell
	c.stopReceiving()
	for c.first != nil {
		c.release(c.pop())
	}
	c.fresh = nil
	c.maybeEnd()
}

// maybeEnd ends the connection if nothing of it is left.
func (c *conn) maybeEnd() {
	if c.state == open || c.state == gone || c.inFlight > 0 {
		return
	}
	if c.state == draining {
		c.err = c.watch.Close()
	}
	c.state = gone
	c.server.conns = without(c.server.conns, c)
	c.server.leave(c.vol)
	c.server.ended()
	c.server.tellClosed(c.vol, c.err)
}

// resumer and flusher are the connection's two pieces of deferred work.
type (
	resumer conn
	flusher conn
)

func (c *conn) resumeLater() {
	if c.paused && !c.resumeDue {
		c.resumeDue = true
		c.loop.Later((*resumer)(c))
	}
}

// Run implements loop.Runner.
func (r *resumer) Run() {
	r.resumeDue = false
	(*conn)(r).resume()
}

func (c *conn) flushLater() {
	if !c.flushDue {
		c.flushDue = true
		c.loop.Dirty((*flusher)(c))
	}
}

// Run implements loop.Runner.
func (f *flusher) Run() {
	f.flushDue = false
	(*conn)(f).flush()
}
