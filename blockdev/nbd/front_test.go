package nbd

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/blocktest"
	"github.com/hawser-storage/hawser/blockdev/loop"
)

// front is an NBD client as a blocktest.Front: requests go round its connections, each of which has a task that writes and one
// that reads. It runs under any Env.
type front struct {
	env   loop.Env
	info  blockdev.Info
	conns []*frontConn

	mu      sync.Mutex // guards what follows, and is held in begin and Done
	next    int
	pending int
	idle    loop.Gate
	err     error
}

type frontConn struct {
	front  *front
	conn   net.Conn
	queue  []*blocktest.IO
	handle uint64
	flying map[uint64]*blocktest.IO
	work   loop.Gate // opened when there is something in the queue, or closing
	closed bool
	ended  loop.Gate // the writer has
	eof    loop.Gate // the reader has
}

func newFront(env loop.Env, info blockdev.Info, conns ...net.Conn) (*front, error) {
	info.Limits = blockdev.Limits{} // the server cuts what is larger
	f := &front{env: env, info: info}
	for _, nc := range conns {
		if err := goShaking(nc); err != nil {
			return nil, err
		}
		c := &frontConn{front: f, conn: nc, flying: map[uint64]*blocktest.IO{}, work: env.NewGate(), ended: env.NewGate(), eof: env.NewGate()}
		f.conns = append(f.conns, c)
		env.Go(c.write)
		env.Go(c.read)
	}
	return f, nil
}

// goShaking chooses the default export by GO.
func goShaking(c net.Conn) error {
	var hello [18]byte
	if _, err := io.ReadFull(c, hello[:]); err != nil {
		return err
	}
	b := binary.BigEndian.AppendUint32(nil, 3)
	b = append(b, hello[8:16]...)
	data := infoData("")
	b = binary.BigEndian.AppendUint32(b, optGo)
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	if _, err := c.Write(append(b, data...)); err != nil {
		return err
	}
	for {
		var h [optionReplyLen]byte
		if _, err := io.ReadFull(c, h[:]); err != nil {
			return err
		}
		if _, err := io.ReadFull(c, make([]byte, binary.BigEndian.Uint32(h[16:]))); err != nil {
			return err
		}
		switch kind := binary.BigEndian.Uint32(h[12:]); {
		case kind == repAck:
			return nil
		case kind != repInfo:
			return fmt.Errorf("GO was answered with %#x", kind)
		}
	}
}

func (f *front) Info() *blockdev.Info { return &f.info }

func (f *front) Run(begin func(start func(*blocktest.IO))) error {
	f.mu.Lock()
	f.idle = f.env.NewGate()
	f.pending++
	begin(f.start)
	f.done()
	f.mu.Unlock()
	f.idle.Wait()
	return f.err
}

func (f *front) start(io *blocktest.IO) {
	f.pending++
	c := f.conns[f.next%len(f.conns)]
	f.next++
	c.queue = append(c.queue, io)
	c.work.Open()
}

func (f *front) done() {
	f.pending--
	if f.pending == 0 {
		f.idle.Open()
	}
}

var kinds = [blockdev.NumOps]uint16{cmdRead, cmdWrite, cmdFlush, cmdTrim, cmdWriteZeroes}

// write sends what is queued.
func (c *frontConn) write() {
	defer c.ended.Open()
	for {
		c.work.Wait()
		c.front.mu.Lock()
		ios := c.queue
		c.queue, c.work = nil, c.front.env.NewGate()
		var out []byte
		for _, io := range ios {
			c.handle++
			c.flying[c.handle] = io
			out = append(out, encodeIO(io, c.handle)...)
		}
		closed := c.closed
		c.front.mu.Unlock()
		if _, err := c.conn.Write(out); err != nil || closed {
			return // the reader tells of it
		}
	}
}

func encodeIO(io *blocktest.IO, handle uint64) []byte {
	var flags uint16
	for _, f := range [...]struct {
		is  blockdev.Flags
		bit uint16
	}{{blockdev.FlagFUA, cmdFlagFUA}, {blockdev.FlagNoUnmap, cmdFlagNoHole}, {blockdev.FlagFastZero, cmdFlagFastZero}} {
		if io.Flags&f.is != 0 {
			flags |= f.bit
		}
	}
	length := io.Length
	if io.Op == blockdev.Read || io.Op == blockdev.Write {
		length = uint64(len(io.Data))
	}
	b := request(kinds[io.Op], flags, handle, io.Offset, uint32(length))
	if io.Op == blockdev.Write {
		b = append(b, io.Data...)
	}
	return b
}

// read takes the replies.
func (c *frontConn) read() {
	defer c.eof.Open()
	for {
		var h [replyLen]byte
		if _, err := io.ReadFull(c.conn, h[:]); err != nil {
			c.broken(err)
			return
		}
		handle, errno := binary.BigEndian.Uint64(h[8:]), binary.BigEndian.Uint32(h[4:])
		c.front.mu.Lock()
		req := c.flying[handle]
		delete(c.flying, handle)
		c.front.mu.Unlock()
		if req == nil {
			c.broken(fmt.Errorf("a reply to %#x, which is not in flight", handle))
			return
		}
		if req.Op == blockdev.Read && errno == 0 {
			if _, err := io.ReadFull(c.conn, req.Data); err != nil {
				c.broken(err)
				return
			}
		}
		c.front.mu.Lock()
		c.finish(req, errno)
		c.front.mu.Unlock()
	}
}

func (c *frontConn) finish(req *blocktest.IO, errno uint32) {
	req.Err = nil
	if errno != 0 {
		req.Err = &blockdev.Error{Outcome: blockdev.Failed, Code: codeOf(errno), Err: fmt.Errorf("NBD error %d", errno)}
	}
	if req.Done != nil {
		req.Done(req)
	}
	c.front.done()
}

func codeOf(errno uint32) blockdev.Code {
	for code, n := range errnos {
		if n == errno && code != int(blockdev.CodeOutOfRange) {
			return blockdev.Code(code)
		}
	}
	return blockdev.CodeIO
}

// broken is a breach of contract unless the front is closing and nothing is in flight.
func (c *frontConn) broken(err error) {
	f := c.front
	f.mu.Lock()
	defer f.mu.Unlock()
	if c.closed && len(c.flying) == 0 {
		return
	}
	f.err = err
	if f.idle != nil {
		f.idle.Open()
	}
}

// close disconnects in order and waits for the server to close.
func (f *front) close() error {
	for _, c := range f.conns {
		f.mu.Lock()
		already := c.closed
		c.closed = true
		c.work.Open()
		f.mu.Unlock()
		if already {
			continue
		}
		c.ended.Wait()
		if _, err := c.conn.Write(request(cmdDisc, 0, 0, 0, 0)); err != nil {
			return err
		}
		c.eof.Wait()
		if err := c.conn.Close(); err != nil {
			return err
		}
	}
	return f.err
}
