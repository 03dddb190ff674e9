package sim

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev/loop"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const portal = "10.0.0.1:3260"

// do runs body as a task and fails the test if it does not end.
func do(t *testing.T, w *World, body func()) {
	t.Helper()
	if err := w.Do(body); err != nil {
		t.Fatal(err)
	}
}

// connected gives both ends of a connection over the portal's link. It is for tasks.
func connected(t *testing.T, w *World) (client, server *Conn) {
	t.Helper()
	ln, err := w.Listen(portal)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := w.Dial(context.Background(), "", portal)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return c.(*Conn), s.(*Conn)
}

// echo is a loop's handler that sends back what it reads, and stops reading while it cannot.
type echo struct {
	watch *loop.Watch
	out   []byte
	end   error
}

func (e *echo) Ready(ev loop.Events) {
	if ev&loop.Readable != 0 && len(e.out) == 0 {
		e.read()
	}
	e.write()
}

func (e *echo) read() {
	var head [48]byte
	var rest [1000]byte
	n, err := e.watch.Socket.Readv([][]byte{head[:], rest[:]})
	switch {
	case err == loop.ErrAgain:
	case err != nil:
		e.end = err
		_ = e.watch.Close()
	default:
		e.out = append(append(e.out, head[:min(n, 48)]...), rest[:max(0, n-48)]...)
	}
}

func (e *echo) write() {
	if e.end != nil {
		return
	}
	if len(e.out) > 0 {
		half := len(e.out) / 2
		n, err := e.watch.Socket.Writev([][]byte{e.out[:half], nil, e.out[half:]})
		if err != nil && err != loop.ErrAgain {
			e.end = err
			_ = e.watch.Close()
			return
		}
		e.out = e.out[n:]
	}
	want := loop.Readable
	if len(e.out) > 0 {
		want = loop.Writable
	}
	_ = e.watch.Want(want)
}

func adopt(t *testing.T, l *loop.Loop, c net.Conn, h loop.Handler, watch **loop.Watch) {
	t.Helper()
	err := l.Await(func(done func()) {
		var err error
		if *watch, err = l.Adopt(c, h); err != nil {
			t.Error(err)
		}
		done()
	})
	if err != nil {
		t.Fatal(err)
	}
}

// echoes sends size random bytes to a loop and reads them back.
func echoes(t *testing.T, w *World, size int) {
	l := w.NewLoop(loop.Config{})
	sent := make([]byte, size)
	for i := range sent {
		sent[i] = byte(w.Rand().Uint32())
	}
	do(t, w, func() {
		c, s := connected(t, w)
		e := &echo{}
		adopt(t, l, s, e, &e.watch)
		w.Go(func() {
			if _, err := c.Write(sent); err != nil {
				t.Error(err)
			}
			if err := c.CloseWrite(); err != nil {
				t.Error(err)
			}
		})
		got, err := io.ReadAll(c)
		if err != nil || !bytes.Equal(got, sent) {
			t.Errorf("got %d bytes, %v, want the %d that were sent", len(got), err, len(sent))
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if e.end != io.EOF {
			t.Errorf("the loop's last read: got %v, want EOF", e.end)
		}
	})
}

func TestEcho(t *testing.T) {
	Each(t, 200, func(t *testing.T, w *World) { echoes(t, w, 1+w.Rand().IntN(20000)) })
}

func TestSameSeedSameSchedule(t *testing.T) {
	run := func(seed uint64) uint64 {
		w := New(seed)
		echoes(t, w, 5000)
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		return w.Hash()
	}
	seen := map[uint64]uint64{}
	for seed := range uint64(50) {
		h := run(seed)
		if again := run(seed); again != h {
			t.Errorf("seed %d: hash %x, then %x", seed, h, again)
		}
		if other, ok := seen[h]; ok {
			t.Errorf("seeds %d and %d took the same course", other, seed)
		}
		seen[h] = seed
	}
}

func TestDeadline(t *testing.T) {
	Each(t, 20, func(t *testing.T, w *World) {
		do(t, w, func() {
			c, s := connected(t, w)
			defer c.Close()
			defer s.Close()
			end := w.Time().Add(3 * time.Hour)
			if err := c.SetReadDeadline(end); err != nil {
				t.Fatal(err)
			}
			_, err := c.Read(make([]byte, 1))
			var ne net.Error
			if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &ne) || !ne.Timeout() {
				t.Errorf("got %v, want a timeout", err)
			}
			if !w.Time().Equal(end) {
				t.Errorf("it came at %v, want %v", w.Time(), end)
			}
			if len(c.end.readers) > 0 || len(w.events) > 0 {
				t.Error("the read left something behind")
			}
		})
	})
}

func TestAbort(t *testing.T) {
	Each(t, 50, func(t *testing.T, w *World) {
		do(t, w, func() {
			c, s := connected(t, w)
			defer c.Close()
			if _, err := s.Write([]byte("lost or not")); err != nil {
				t.Fatal(err)
			}
			if err := s.Abort(); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAll(c); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("read: got %v, want ECONNRESET", err)
			}
			if _, err := c.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("write: got %v, want ECONNRESET", err)
			}
		})
	})
}
