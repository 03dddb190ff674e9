package nbd

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/memdev"
)

// A client that stops reading stops itself: what was lent for its replies is kept, and another client goes on.
func TestSlowReader(t *testing.T) {
	s, dev := newScript(disk)
	copy(s.lend, noise(1, len(s.lend)))
	b := newBench(t, dev, Config{Budget: 8 << 20, SendBuffer: 16 << 10})
	s.arena = b.arena
	answer := func() { s.complete(t, <-s.arrived, nil) }

	slow := b.attach()
	const n, size = 12, 1 << 20 // more than the budget
	for i := range n {
		slow.send(request(cmdRead, 0, uint64(i), uint64(i)*size, size))
	}
	for range 8 {
		answer()
	}
	answer() // and what is guaranteed
	b.until(func() bool {
		c := b.server.conns[0]
		return c.inFlight == 9 && c.paused && c.blocked
	})

	other := b.attach()
	other.send(request(cmdRead, 0, 99, 4096, 4096))
	answer()
	if _, errno := other.reply(); errno != 0 || !bytes.Equal(other.recv(4096), s.lend[4096:8192]) {
		t.Error("the other client got something else")
	}

	go func() { // the rest is admitted as the slow one reads
		for range n - 9 {
			answer()
		}
	}()
	for i := range n {
		handle, errno := slow.reply()
		if errno != 0 || handle != uint64(i) {
			t.Fatalf("reply to %d, error %d; want %d", handle, errno, i)
		}
		if got := slow.recv(size); !bytes.Equal(got, s.lend[i*size:(i+1)*size]) {
			t.Fatalf("READ %d came back changed", i)
		}
	}
}

// A client that vanishes: its writes are finished, everything comes back.
func TestClientDies(t *testing.T) {
	s, dev := newScript(disk)
	why := make(chan error, 1)
	b := newBench(t, dev, Config{Closed: func(_ string, err error) { why <- err }})
	s.arena = b.arena
	c := b.attach()
	c.send(append(request(cmdWrite, 0, 1, 0, 128<<10), noise(1, 128<<10)...))
	c.send(request(cmdRead, 0, 2, 0, 128<<10))
	c.send(append(request(cmdWrite, cmdFlagFUA, 3, 0, 64<<10), noise(1, 1000)...)) // not all of it
	w, r := <-s.arrived, <-s.arrived
	_ = c.Close()
	b.until(func() bool { return len(b.server.conns) > 0 && b.server.conns[0].state == dead })
	if got := segments(w.Data); !bytes.Equal(got, noise(1, 128<<10)) {
		t.Error("the write lost its payload with the client")
	}
	s.complete(t, r, nil)
	s.complete(t, w, nil)
	<-why
	if len(s.arrived) != 0 {
		t.Error("half a write was submitted")
	}
}

// until turns the loop until a condition on it holds.
func (b *bench) until(cond func() bool) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for ok := false; !ok; b.onLoop(func() { ok = cond() }) {
		if ctx.Err() != nil {
			b.t.Fatal("it did not happen")
		}
	}
}

func segments(segs []blockdev.Segment) (all []byte) {
	for _, s := range segs {
		all = append(all, s.Bytes...)
	}
	return all
}

// A client that shuts its half still gets its replies.
func TestHalfClose(t *testing.T) {
	s, dev := newScript(disk)
	b := newBench(t, dev, Config{})
	c := b.attach()
	c.send(request(cmdRead, 0, 1, 0, 4096))
	c.closeWrite()
	s.complete(t, <-s.arrived, nil)
	if _, errno := c.reply(); errno != 0 {
		t.Errorf("error %d", errno)
	}
	c.recv(4096)
	c.ended()
}

func TestCloseDrains(t *testing.T) {
	s, dev := newScript(disk)
	b := newBench(t, dev, Config{})
	c, idle, shaking := b.attach(), b.attach(), b.dial()
	shaking.greet(3)
	c.send(append(request(cmdWrite, 0, 5, 0, 4096), make([]byte, 4096)...))
	r := <-s.arrived
	closed := make(chan error, 1)
	go func() { closed <- b.server.Close(context.Background()) }()
	idle.ended()
	shaking.ended()
	select {
	case err := <-closed:
		t.Fatalf("Close returned %v with a request in flight", err)
	default:
	}
	s.complete(t, r, nil)
	if handle, errno := c.reply(); handle != 5 || errno != 0 {
		t.Errorf("reply to %d, error %d", handle, errno)
	}
	c.ended()
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if err := b.server.ServeConn(b.pipe()); !errors.Is(err, ErrClosed) {
		t.Errorf("ServeConn after Close: got %v, want %v", err, ErrClosed)
	}
}

// pipe is a connection that nobody serves.
func (b *bench) pipe() *client { return &client{t: b.t, Conn: newPipe(b.t)} }

func TestCloseGivesUp(t *testing.T) {
	s, dev := newScript(disk)
	b := newBench(t, dev, Config{})
	c := b.attach()
	c.send(append(request(cmdWrite, 0, 5, 0, 4096), make([]byte, 4096)...))
	r := <-s.arrived
	ctx, cancel := context.WithCancelCause(context.Background())
	why := errors.New("enough")
	cancel(why)
	if err := b.server.Close(ctx); !errors.Is(err, why) {
		t.Errorf("got %v, want %v", err, why)
	}
	c.ended()
	s.complete(t, r, nil) // and then all is back, which the bench checks
}

// A FLUSH on one connection reaches the device after the writes that were answered on others.
func TestFlushCoversConnections(t *testing.T) {
	s, dev := newScript(disk)
	b := newBench(t, dev, Config{})
	c1, c2 := b.attach(), b.attach()
	c1.send(append(request(cmdWrite, 0, 1, 0, 4096), make([]byte, 4096)...))
	s.complete(t, <-s.arrived, nil)
	c1.reply()
	c2.send(request(cmdFlush, 0, 2, 0, 0))
	if r := <-s.arrived; r.Op != blockdev.Flush {
		t.Errorf("got %v, want a flush", r)
	} else {
		s.complete(t, r, nil)
	}
	if handle, errno := c2.reply(); handle != 2 || errno != 0 {
		t.Errorf("reply to %d, error %d", handle, errno)
	}
}

// Depth bounds what is in flight; the rest waits in the socket.
func TestDepth(t *testing.T) {
	s, dev := newScript(disk)
	b := newBench(t, dev, Config{Depth: 4})
	c := b.attach()
	for i := range 10 {
		c.send(request(cmdTrim, 0, uint64(i), 0, 512))
	}
	for i := range 10 {
		if i == 0 {
			b.until(func() bool { return len(b.server.conns) > 0 && b.server.conns[0].paused })
			if got := len(s.arrived); got != 4 {
				t.Errorf("%d in flight, want 4", got)
			}
		}
		s.complete(t, <-s.arrived, nil)
		if handle, _ := c.reply(); handle != uint64(i) {
			t.Errorf("reply to %d, want %d", handle, i)
		}
	}
}

// Two WRITEs that each take more than half of the room, sent in turns, both get through: the second waits for the first.
func TestLargeWritesDoNotDeadlock(t *testing.T) {
	b := newBench(t, ram(memdev.Config{Size: 64 << 20}), Config{Budget: 8 << 20, Connections: 4})
	c := []*client{b.attach(), b.attach()}
	payload := [][]byte{noise(1, 8<<20), noise(2, 8<<20)}
	for i := range c {
		c[i].send(request(cmdWrite, 0, 1, uint64(i)*8<<20, 8<<20))
		c[i].send(payload[i][:100<<10]) // half-received, both
	}
	b.until(func() bool {
		for _, k := range b.server.conns {
			if k.current != nil {
				return true
			}
		}
		return false
	})
	done := make(chan struct{}, 2)
	for i := range c {
		go func() {
			defer func() { done <- struct{}{} }()
			if _, err := c[i].Write(payload[i][100<<10:]); err != nil {
				t.Error(err)
				return
			}
			var h [replyLen]byte
			if _, err := io.ReadFull(c[i], h[:]); err != nil || h[7] != 0 {
				t.Errorf("% x, %v", h, err)
			}
		}()
	}
	<-done
	<-done
	for i := range c {
		if got := c[i].read(uint64(i)*8<<20, 8<<20); !bytes.Equal(got, payload[i]) {
			t.Errorf("write %d came back changed", i)
		}
	}
}

// Writes in flight up to the quota stop the reading, and it goes on when they complete.
func TestQuotaPushesBack(t *testing.T) {
	s, dev := newScript(disk)
	b := newBench(t, dev, Config{Budget: 1 << 20, Connections: 1})
	c := b.attach()
	const n, size = 64, 64 << 10
	sent := make(chan error, 1)
	go func() {
		for i := range n {
			if _, err := c.Write(append(request(cmdWrite, 0, uint64(i), uint64(i)*size, size), noise(uint64(i), size)...)); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	b.until(func() bool { return len(b.server.conns) > 0 && b.server.conns[0].paused })
	b.onLoop(func() {
		v := b.server.volumes[0]
		if v.quota.Used > v.quota.Max || len(v.writers) != 1 {
			t.Errorf("%d of %d chunks, %d waiting", v.quota.Used, v.quota.Max, len(v.writers))
		}
	})
	for i := range n {
		r := <-s.arrived
		if got := segments(r.Data); !bytes.Equal(got, noise(uint64(i), size)) {
			t.Errorf("write %d came in changed", i)
		}
		s.complete(t, r, nil)
		c.reply()
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
}

// exhausted is a listener whose first accept finds no descriptor free.
type exhausted struct {
	net.Listener
	tries int
}

func (l *exhausted) Accept() (net.Conn, error) {
	if l.tries++; l.tries == 1 {
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return l.Listener.Accept()
}

// Too many open files for a moment is no reason to stop serving.
func TestServeOutlivesExhaustion(t *testing.T) {
	b := newBench(t, ram(memdev.Config{Size: 1 << 20}), Config{})
	ln, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- b.server.Serve(&exhausted{Listener: ln}) }()
	nc, err := net.Dial("unix", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(patience))
	if _, err := io.ReadFull(nc, make([]byte, 8)); err != nil {
		t.Errorf("no greeting: %v", err)
	}
	b.close()
	if err := <-served; err != ErrClosed {
		t.Errorf("Serve: got %v, want %v", err, ErrClosed)
	}
}
