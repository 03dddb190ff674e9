package sim

import (
	"io"
	"net"
	"slices"
	"syscall"

	"github.com/hawser-storage/hawser/blockdev/loop"
)

// connection is two ends and a pipe each way.
type connection struct {
	link  *Link
	ends  [2]*end  // the client's, the server's
	pipes [2]*pipe // by Direction
}

// connect makes a connection over link, open at both ends.
func (w *World) connect(link *Link, client, server net.Addr) *connection {
	c := &connection{link: link}
	a := &end{w: w, conn: c, local: client, remote: server}
	b := &end{w: w, conn: c, local: server, remote: client}
	out, back := newPipe(w, link, ToServer, a, b), newPipe(w, link, ToClient, b, a)
	a.out, a.in = out, back
	b.out, b.in = back, out
	c.ends, c.pipes = [2]*end{a, b}, [2]*pipe{out, back}
	link.conns = append(link.conns, c)
	w.conns = append(w.conns, c)
	return c
}

// settle forgets a connection that nobody holds any more.
func (c *connection) settle() {
	if !c.ends[0].closed || !c.ends[1].closed {
		return
	}
	for _, p := range c.pipes {
		p.purge()
	}
	is := func(o *connection) bool { return o == c }
	c.link.conns = slices.DeleteFunc(c.link.conns, is)
	w := c.ends[0].w
	w.conns = slices.DeleteFunc(w.conns, is)
}

// end is one end of a connection. It is held as a Conn by tasks, or as a socket by a loop.
type end struct {
	w             *World
	conn          *connection
	in, out       *pipe
	local, remote net.Addr

	err     error // a RST has come: sticky
	eof     bool  // a FIN has come
	shut    bool  // our FIN is sent
	reset   bool  // our RST is sent
	closed  bool
	readers waitq // tasks
	writers waitq

	watch  *loop.Watch // of the loop's socket; nil if it is not watched
	want   loop.Events
	poller *poller
	active bool // is on poller.active
}

func (e *end) read(bufs [][]byte) (int, error) {
	switch {
	case e.closed:
		return 0, net.ErrClosed
	case e.err != nil:
		return 0, e.err
	case e.in.unread() > 0:
		return e.in.read(bufs), nil
	case e.eof:
		return 0, io.EOF
	}
	return 0, loop.ErrAgain
}

func (e *end) write(bufs [][]byte) (int, error) {
	switch {
	case e.closed:
		return 0, net.ErrClosed
	case e.err != nil:
		return 0, e.err
	case e.shut:
		return 0, syscall.EPIPE
	case empty(bufs):
		return 0, nil
	}
	if n := e.out.write(bufs); n > 0 {
		return n, nil
	}
	return 0, loop.ErrAgain
}

func empty(bufs [][]byte) bool {
	for _, b := range bufs {
		if len(b) > 0 {
			return false
		}
	}
	return true
}

// close ends the stream in order, or, as TCP does it, with a RST if something was not read.
func (e *end) close() error {
	if e.closed {
		return net.ErrClosed
	}
	if e.in.unread() > 0 {
		return e.abort()
	}
	e.finish()
	e.release()
	return nil
}

func (e *end) abort() error {
	if e.closed {
		return net.ErrClosed
	}
	e.sendReset()
	e.release()
	return nil
}

func (e *end) closeWrite() error {
	if e.closed {
		return net.ErrClosed
	}
	if e.err != nil {
		return syscall.ENOTCONN
	}
	e.finish()
	e.tell()
	return nil
}

// finish sends a FIN, once, after all that was written.
func (e *end) finish() {
	if !e.shut && !e.reset && e.err == nil {
		e.shut = true
		e.out.send(segFIN, 0)
	}
}

func (e *end) sendReset() {
	if !e.reset && e.err == nil {
		e.reset = true
		e.out.reset()
	}
}

// release is the owner's last act.
func (e *end) release() {
	e.closed = true
	e.watch = nil
	e.readers.wake()
	e.writers.wake()
	e.conn.settle()
}

// received is told that data has come. An end that is closed answers with a RST.
func (e *end) received() {
	if e.closed {
		e.sendReset()
		return
	}
	e.tell()
}

func (e *end) finished() {
	e.eof = true
	e.tell()
}

// broken takes a RST: what was not read is lost, and what was not delivered will not be.
func (e *end) broken(err error) {
	if e.err != nil {
		return
	}
	e.err = err
	e.in.purge()
	if !e.out.severed { // its RST is still to come
		e.out.purge()
	}
	e.tell()
}

// ready is what a read or write would not have to wait for.
func (e *end) ready() (ev loop.Events) {
	if e.closed || e.err != nil {
		return loop.Readable | loop.Writable
	}
	if e.eof || e.in.unread() > 0 {
		ev |= loop.Readable
	}
	if e.shut || e.out.used < e.out.window {
		ev |= loop.Writable
	}
	return ev
}

// told is what the loop is to be told of. A broken socket is
// told of both events, wanted or not, as epoll does it.
func (e *end) told() loop.Events {
	switch {
	case e.watch == nil:
		return 0
	case e.err != nil:
		return loop.Readable | loop.Writable
	}
	return e.ready() & e.want
}

// tell lets whoever waits for this end look again.
func (e *end) tell() {
	ev := e.ready()
	if ev&loop.Readable != 0 {
		e.readers.wake()
	}
	if ev&loop.Writable != 0 {
		e.writers.wake()
	}
	if e.told() != 0 {
		e.poller.activate(e)
	}
}

func (e *end) String() string { return e.local.String() + " -> " + e.remote.String() }
