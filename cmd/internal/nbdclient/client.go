// Package nbdclient is a small NBD client for the demonstration and for tests: simple replies, one connection, any number of
// requests in flight.
//
// A [Client] may be used by many goroutines: each call is one request and returns with its reply. One goroutine reads the replies;
// it ends with [Client.Close], or when the connection breaks, and then every call fails.
package nbdclient

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"

	"github.com/pojntfx/go-nbd/pkg/protocol"
)

// Request types that go-nbd's protocol package has no name for.
const (
	cmdFlush = 3

	requestLen = 28
	replyLen   = 16
)

// ErrClosed is the error of calls after Close.
var ErrClosed = errors.New("nbdclient: closed")

// Client is a connection to one export, in the transmission phase.
type Client struct {
	export Export
	conn   net.Conn
	done   chan struct{} // closed when the reader has ended

	write sync.Mutex // one request at a time goes out

	mu      sync.Mutex
	pending map[uint64]*call
	last    uint64
	err     error // the first; nothing works after it
}

// call is a request on its way.
type call struct {
	read  []byte // takes the payload; nil if there is none
	reply chan error
}

// Dial connects to an export, whose name may be empty for the default one.
func Dial(network, address, name string) (*Client, error) {
	nc, err := net.Dial(network, address)
	if err != nil {
		return nil, fmt.Errorf("nbdclient: %w", err)
	}
	export, err := handshake(nc, name)
	if err != nil {
		return nil, fmt.Errorf("nbdclient: %s: %w", address, errors.Join(err, nc.Close()))
	}
	return New(nc, export), nil
}

// New makes a client of a connection that is in the transmission phase already, as the kernel's is.
func New(nc net.Conn, e Export) *Client {
	c := &Client{export: e, conn: nc, done: make(chan struct{}), pending: map[uint64]*call{}}
	go c.receive()
	return c
}

// Export says what the server told about the export.
func (c *Client) Export() Export { return c.export }

// ReadAt fills p from off. Offset and length are multiples of the export's block.
func (c *Client) ReadAt(p []byte, off int64) (int, error) {
	if err := c.do(protocol.TRANSMISSION_TYPE_REQUEST_READ, uint64(off), uint32(len(p)), nil, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// WriteAt writes p to off. Offset and length are multiples of the export's block.
func (c *Client) WriteAt(p []byte, off int64) (int, error) {
	if err := c.do(protocol.TRANSMISSION_TYPE_REQUEST_WRITE, uint64(off), uint32(len(p)), p, nil); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush returns when everything that was written before is on stable storage.
func (c *Client) Flush() error { return c.do(cmdFlush, 0, 0, nil, nil) }

// Close takes leave and ends the connection. Calls that are still waiting fail.
func (c *Client) Close() error {
	c.fail(ErrClosed)
	err := c.send(protocol.TRANSMISSION_TYPE_REQUEST_DISC, 0, 0, 0, nil)
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		err = nil // the server was first
	}
	err = errors.Join(err, c.conn.Close())
	<-c.done
	return err
}

func (c *Client) do(typ uint16, off uint64, n uint32, data, into []byte) error {
	call := &call{read: into, reply: make(chan error, 1)}
	handle, err := c.register(call)
	if err != nil {
		return err
	}
	if err := c.send(typ, handle, off, n, data); err != nil {
		c.fail(fmt.Errorf("nbdclient: send: %w", err))
	}
	return <-call.reply
}

func (c *Client) register(call *call) (handle uint64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return 0, c.err
	}
	c.last++
	c.pending[c.last] = call
	return c.last, nil
}

func (c *Client) take(handle uint64) *call {
	c.mu.Lock()
	defer c.mu.Unlock()
	call := c.pending[handle]
	delete(c.pending, handle)
	return call
}

// fail ends every call with err, if it is the first.
func (c *Client) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = err
	for h, call := range c.pending {
		delete(c.pending, h)
		call.reply <- err
	}
}

func (c *Client) send(typ uint16, handle, off uint64, n uint32, data []byte) error {
	var h [requestLen]byte
	binary.BigEndian.PutUint32(h[0:], protocol.TRANSMISSION_MAGIC_REQUEST)
	binary.BigEndian.PutUint16(h[6:], typ)
	binary.BigEndian.PutUint64(h[8:], handle)
	binary.BigEndian.PutUint64(h[16:], off)
	binary.BigEndian.PutUint32(h[24:], n)
	c.write.Lock()
	defer c.write.Unlock()
	bufs := net.Buffers{h[:], data}
	_, err := bufs.WriteTo(c.conn)
	return err
}

// receive reads replies until the connection ends.
func (c *Client) receive() {
	defer close(c.done)
	r := bufio.NewReaderSize(c.conn, 64<<10)
	for {
		if err := c.reply(r); err != nil {
			c.fail(fmt.Errorf("nbdclient: receive: %w", err))
			return
		}
	}
}

func (c *Client) reply(r io.Reader) error {
	var h [replyLen]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return err
	}
	if magic := binary.BigEndian.Uint32(h[0:]); magic != protocol.TRANSMISSION_MAGIC_REPLY {
		return fmt.Errorf("a reply began with %#x", magic)
	}
	call := c.take(binary.BigEndian.Uint64(h[8:]))
	if call == nil {
		return errors.New("a reply to a request that is not there")
	}
	if errno := binary.BigEndian.Uint32(h[4:]); errno != 0 {
		call.reply <- syscall.Errno(errno)
		return nil
	}
	_, err := io.ReadFull(r, call.read)
	call.reply <- err
	return err
}
