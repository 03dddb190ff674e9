package sim

import (
	"net"
	"syscall"
)

// listener is a net.Listener in the world.
type listener struct {
	w         *World
	addr      net.Addr
	backlog   []*end
	accepters waitq
	closed    bool
}

// Listen begins to listen at addr: "host:port", where port 0 is one of the world's choice, or any other name. Accept is for
// tasks. Like a kernel it takes connections before they are accepted, and resets those when it is closed.
func (w *World) Listen(addr string) (net.Listener, error) {
	a := w.resolve(addr)
	if w.listeners[a.String()] != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: a, Err: syscall.EADDRINUSE}
	}
	l := &listener{w: w, addr: a}
	w.listeners[a.String()] = l
	return l, nil
}

func (l *listener) Accept() (net.Conn, error) {
	for !l.closed {
		if len(l.backlog) > 0 {
			e := l.backlog[0]
			l.backlog = l.backlog[1:]
			return newConn(e), nil
		}
		l.w.wait(&l.accepters, never, "accept", l.addr)
	}
	return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
}

func (l *listener) Close() error {
	if l.closed {
		return &net.OpError{Op: "close", Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
	}
	l.closed = true
	delete(l.w.listeners, l.addr.String())
	for _, e := range l.backlog {
		_ = e.abort() // it is open: nobody has seen it yet
	}
	l.backlog = nil
	l.accepters.wake()
	return nil
}

func (l *listener) Addr() net.Addr { return l.addr }

func (l *listener) push(e *end) {
	l.backlog = append(l.backlog, e)
	l.accepters.wake()
}
