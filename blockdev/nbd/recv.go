package nbd

import (
	"errors"
	"fmt"
	"io"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/pojntfx/go-nbd/pkg/protocol"
)

// The way of requests in. Everything runs on the loop, in this order:
//
//  1. receive: one readv into the window's chunks, again only if it filled them
//  2. parse: a header; checked, and answered at once if it makes no sense (check.go)
//  3. admission: a READ gets the bytes of its reply, a WRITE all chunks of its payload, or the connection gets in line and reads
//     no more until it is its turn (volume.go)
//  4. a WRITE waits for its payload, which is received to where it stays; its segments are known before it arrives
//  5. submit (command.go)
//
// A connection with nothing to parse and nothing in flight holds no memory.

// How much room a read is given, in bytes, beyond the payload that it is in the midst of: it grows with what there is to read.
const (
	minAhead = 32 << 10
	maxAhead = 256 << 10

	maxReads = 4 // a turn's
)

var errVanished = errors.New("nbd: the client closed the connection")

// receive reads what there is, within reason: what it leaves is reported again.
func (c *conn) receive() {
	for range maxReads {
		space := c.makeRoom()
		if space == 0 {
			c.pause() // in line
			return
		}
		n, err := c.watch.Socket.Readv(c.win.room())
		if err != nil {
			c.readFailed(err)
			return
		}
		c.win.end += n
		c.adapt(n, space)
		c.parse()
		c.win.trim()
		if n < space || c.state != open || c.paused {
			return
		}
	}
}

// makeRoom widens the window and returns the bytes that there is room for. If there are none the connection is in line.
func (c *conn) makeRoom() int {
	c.win.widen(max(0, -c.win.buffered())+c.ahead, c.vol.writers.open(c))
	if c.win.space() == 0 && !c.vol.admitBytes(c, max(0, c.win.buffered())+1) {
		return 0
	}
	c.vol.leaveLine(c)
	return c.win.space()
}

func (c *conn) adapt(n, space int) {
	switch {
	case n == space:
		c.ahead = min(2*c.ahead, maxAhead)
	case n < c.ahead/4:
		c.ahead = max(c.ahead/2, minAhead)
	}
}

func (c *conn) readFailed(err error) {
	c.win.trim()
	switch {
	case err == loop.ErrAgain:
	case err == io.EOF:
		c.drain() // a client may shut its half and still wait for replies
	default:
		c.fail(err)
	}
}

// parse takes requests from the window until it is empty, or something has to be waited for.
func (c *conn) parse() {
	info := c.vol.dev.Info()
	for c.state == open {
		switch {
		case c.skip > 0:
			if !c.skipPayload() {
				return
			}
		case c.current != nil:
			if c.win.buffered() < 0 {
				return
			}
			cmd := c.current
			c.current = nil
			cmd.submit(info)
		default:
			b, ok := c.win.peek()
			if !ok || !c.request(decodeRequest(b), info) {
				return
			}
		}
	}
}

// request takes one header, and reports whether parsing goes on.
func (c *conn) request(h protocol.TransmissionRequestHeader, info *blockdev.Info) bool {
	switch {
	case h.RequestMagic != protocol.TRANSMISSION_MAGIC_REQUEST:
		c.fail(fmt.Errorf("nbd: a request began with %#08x", h.RequestMagic))
		return false
	case h.Type == cmdDisc:
		c.drain()
		return false
	case c.inFlight >= c.server.cfg.Depth:
		c.pause()
		return false
	}
	if errno := check(&h, info, c.server.cfg.MaxRequest); errno != 0 {
		c.refuse(&h, errno)
		return true
	}
	return c.admit(&h, info)
}

// refuse answers a request that no device will see. The payload of a WRITE is skipped first.
func (c *conn) refuse(h *protocol.TransmissionRequestHeader, errno uint32) {
	c.server.stats.Refused++
	c.win.skip(requestLen)
	cmd := c.take(h)
	if h.Type == cmdWrite && h.Length > 0 {
		c.current, c.skip = cmd, uint64(h.Length)
		encodeReply(&cmd.header, errno, h.Handle)
		return
	}
	cmd.reply(errno)
}

// skipPayload reports whether it is all skipped.
func (c *conn) skipPayload() bool {
	n := int(min(c.skip, uint64(c.win.buffered())))
	c.win.skip(n)
	c.skip -= uint64(n)
	if c.skip > 0 {
		return false
	}
	cmd := c.current
	c.current = nil
	cmd.queue()
	return true
}

// admit starts a request that there is room for, or pauses.
func (c *conn) admit(h *protocol.TransmissionRequestHeader, info *blockdev.Info) bool {
	var room *uint64
	ok := true
	switch h.Type {
	case cmdRead:
		room = c.vol.admitRead(c, uint64(h.Length))
		ok = room != nil
	case cmdWrite:
		ok = c.vol.admitBytes(c, requestLen+int(h.Length))
	}
	if !ok {
		c.pause()
		return false
	}
	c.win.skip(requestLen)
	cmd := c.take(h)
	cmd.describe(h, info)
	cmd.room = room
	if h.Type == cmdWrite {
		cmd.req.Data = c.win.take(cmd.req.Data, int(h.Length))
		c.current = cmd
		return true
	}
	cmd.submit(info)
	return true
}

// resume goes on after a pause: with what is in the window, and then with the socket.
func (c *conn) resume() {
	if c.state != open || !c.paused {
		return
	}
	c.paused = false
	c.parse()
	if c.state == open && !c.paused {
		c.receive()
	}
	if c.state == open && !c.paused {
		c.want()
	}
}

// stopReceiving forgets what was received and not submitted.
func (c *conn) stopReceiving() {
	c.vol.leaveLine(c)
	c.win.free()
	if cmd := c.current; cmd != nil {
		c.current, c.skip = nil, 0
		c.release(cmd)
	}
}
