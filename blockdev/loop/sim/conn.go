package sim

import (
	"io"
	"net"
	"os"
	"time"

	"github.com/hawser-storage/hawser/blockdev/loop"
)

// Conn is one end of a connection as tasks use it: blocking, with deadlines in virtual time. A loop takes it over with
// loop.Loop.Adopt.
type Conn struct {
	end           *end
	adopted       bool
	readDeadline  time.Duration
	writeDeadline time.Duration
	readBuf       [1][]byte
	writeBuf      [1][]byte
}

var _ net.Conn = (*Conn)(nil)

func newConn(e *end) *Conn { return &Conn{end: e, readDeadline: never, writeDeadline: never} }

// handOver makes a loop's socket of the end. Tasks that still wait on the connection are told that it is closed.
func (c *Conn) handOver() (*socket, error) {
	if c.adopted || c.end.closed {
		return nil, net.ErrClosed
	}
	c.adopted = true
	c.end.readers.wake()
	c.end.writers.wake()
	return &socket{end: c.end}, nil
}

// Read waits until there is something to read, and returns any number of bytes of it.
func (c *Conn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		n, err := c.tryRead(b)
		if err == nil || err == io.EOF {
			return n, err
		}
		if err != loop.ErrAgain {
			return n, c.opError("read", err)
		}
		c.end.w.wait(&c.end.readers, c.readDeadline, "read", c.end)
	}
}

func (c *Conn) tryRead(b []byte) (int, error) {
	if err := c.usable(c.readDeadline); err != nil {
		return 0, err
	}
	c.readBuf[0] = b
	return c.end.read(c.readBuf[:])
}

// Write waits until all of b is taken.
func (c *Conn) Write(b []byte) (int, error) {
	for done := 0; ; {
		n, err := c.tryWrite(b[done:])
		if done += n; done == len(b) && err == nil {
			return done, nil
		}
		if err != nil && err != loop.ErrAgain {
			return done, c.opError("write", err)
		}
		if err == loop.ErrAgain {
			c.end.w.wait(&c.end.writers, c.writeDeadline, "write", c.end)
		}
	}
}

func (c *Conn) tryWrite(b []byte) (int, error) {
	if err := c.usable(c.writeDeadline); err != nil {
		return 0, err
	}
	c.writeBuf[0] = b
	return c.end.write(c.writeBuf[:])
}

// usable is asked before anything is tried: a deadline that has passed counts even where there is something to read.
func (c *Conn) usable(deadline time.Duration) error {
	switch {
	case c.adopted:
		return net.ErrClosed
	case deadline <= c.end.w.now:
		return os.ErrDeadlineExceeded
	}
	return nil
}

// Close ends the stream in order; if something was not read, with a reset, as TCP does it.
func (c *Conn) Close() error {
	if c.adopted {
		return c.opError("close", net.ErrClosed)
	}
	return c.opError("close", c.end.close())
}

// Abort ends the connection with a reset. The peer's reads and writes give syscall.ECONNRESET.
func (c *Conn) Abort() error {
	if c.adopted {
		return c.opError("close", net.ErrClosed)
	}
	return c.opError("close", c.end.abort())
}

// CloseWrite tells the peer that no more will come. Reading goes on.
func (c *Conn) CloseWrite() error {
	if c.adopted {
		return c.opError("close", net.ErrClosed)
	}
	return c.opError("close", c.end.closeWrite())
}

// LocalAddr is a *net.TCPAddr where the address is one.
func (c *Conn) LocalAddr() net.Addr { return c.end.local }

// RemoteAddr is a *net.TCPAddr where the address is one.
func (c *Conn) RemoteAddr() net.Addr { return c.end.remote }

// SetDeadline sets both deadlines, in virtual time: t counts from the world's Time.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline is for reads, those that wait already included. The zero time is none.
func (c *Conn) SetReadDeadline(t time.Time) error {
	if c.adopted || c.end.closed {
		return c.opError("set", net.ErrClosed)
	}
	c.readDeadline = since(t)
	c.end.readers.wake()
	return nil
}

// SetWriteDeadline is for writes, those that wait already included. The zero time is none.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	if c.adopted || c.end.closed {
		return c.opError("set", net.ErrClosed)
	}
	c.writeDeadline = since(t)
	c.end.writers.wake()
	return nil
}

func (c *Conn) opError(op string, err error) error {
	if err == nil {
		return nil
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.end.local, Addr: c.end.remote, Err: err}
}
