package loop

import (
	"errors"
	"net"
	"time"
)

// Env is the world that a loop lives in: the kernel, or a simulation of it.
type Env interface {
	// Time is the time for deadlines of connections. Any goroutine may ask.
	Time() time.Time

	// Go runs fn in the control plane.
	Go(fn func())

	// NewGate makes a closed gate.
	NewGate() Gate

	// NewPoller makes the poller of one loop.
	NewPoller() (Poller, error)
}

// Gate lets one control plane goroutine wait for one event.
type Gate interface {
	Wait() // returns after Open
	Open() // from anywhere, any number of times, before or after Wait
}

// Events are what a socket is ready for.
type Events uint8

// The events. A broken or closed socket is ready for both, so that the next read or write tells why.
const (
	Readable Events = 1 << iota
	Writable
)

// ErrAgain is the answer of a socket that has nothing to read, or no room to write, now.
var ErrAgain = errors.New("loop: try again")

// Socket is a non-blocking stream that belongs to one loop.
type Socket interface {
	// Readv fills bufs in order and returns how many bytes it got: ErrAgain if there are none, io.EOF after the last.
	Readv(bufs [][]byte) (int, error)

	// Writev writes from bufs in order and returns how many bytes were taken, which may be less than all, even without an
	// error; ErrAgain if none.
	Writev(bufs [][]byte) (int, error)

	// Close ends the stream in order. Abort ends a TCP connection with a reset: what was not sent will not be.
	// When they return nothing reads the buffers of earlier writes any more.
	Close() error
	Abort() error
}

// Poller waits for the sockets of one loop. All but Wake is called on the loop.
type Poller interface {
	// Adopt makes a socket of a connection from the control plane, which must not be used afterwards.
	Adopt(c net.Conn) (Socket, error)

	// Watch begins to watch w.Socket, or changes the events it is watched for to want.
	Watch(w *Watch, want Events) error

	// Forget ends it. The socket is still open.
	Forget(w *Watch)

	// Wait appends the watches that are ready, with Ready set, and returns when there is one, after timeout, or after Wake. A
	// negative timeout is none.
	Wait(ready []*Watch, timeout time.Duration) ([]*Watch, error)

	// Wake makes the current or else the next Wait return at once. Any goroutine may call it.
	Wake()

	Close() error
}
