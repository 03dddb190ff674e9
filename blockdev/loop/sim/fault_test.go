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
)

func readFull(t *testing.T, c *Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func write(t *testing.T, c *Conn, s string) {
	t.Helper()
	if _, err := c.Write([]byte(s)); err != nil {
		t.Error(err)
	}
}

// silent checks that nothing comes for a minute.
func silent(t *testing.T, w *World, c *Conn) {
	t.Helper()
	_ = c.SetReadDeadline(w.Time().Add(time.Minute))
	if n, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %d bytes, %v, want silence", n, err)
	}
	_ = c.SetReadDeadline(time.Time{})
}

func TestStallHoldsBothWays(t *testing.T) {
	Each(t, 50, func(t *testing.T, w *World) {
		do(t, w, func() {
			c, s := connected(t, w)
			defer c.Close()
			defer s.Close()
			w.Link(portal).Stall()
			write(t, c, "request")
			write(t, s, "response")
			silent(t, w, c)
			silent(t, w, s)
			w.Link(portal).Up()
			readFull(t, s, "request")
			readFull(t, c, "response")
		})
	})
}

func TestStallOneWay(t *testing.T) {
	Each(t, 50, func(t *testing.T, w *World) {
		do(t, w, func() {
			c, s := connected(t, w)
			defer c.Close()
			defer s.Close()
			w.Link(portal).StallOneWay(ToClient)
			write(t, c, "request")
			readFull(t, s, "request")
			write(t, s, "response")
			silent(t, w, c)
			w.Link(portal).Up()
			readFull(t, c, "response")
		})
	})
}

// TestStallClosesWindow: what the peer reads during a stall of the way back does not let the writer go on.
func TestStallClosesWindow(t *testing.T) {
	Each(t, 20, func(t *testing.T, w *World) {
		w.Net.Buffer = 100
		do(t, w, func() {
			c, s := connected(t, w)
			defer s.Close()
			defer c.Close()
			w.Link(portal).StallOneWay(ToClient)
			w.Go(func() {
				if _, err := io.CopyN(io.Discard, s, 200); err != nil {
					t.Error(err)
				}
			})
			_ = c.SetWriteDeadline(w.Time().Add(time.Minute))
			n, err := c.Write(make([]byte, 200))
			if n != 100 || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("got %d, %v, want 100 and a timeout", n, err)
			}
			w.Link(portal).Up()
			_ = c.SetWriteDeadline(time.Time{})
			if n, err := c.Write(make([]byte, 100)); n != 100 || err != nil {
				t.Errorf("got %d, %v, want 100", n, err)
			}
			w.Sleep(time.Second)
		})
	})
}

func TestAbortInStallIsLearntAfterUp(t *testing.T) {
	Each(t, 50, func(t *testing.T, w *World) {
		do(t, w, func() {
			c, s := connected(t, w)
			defer s.Close()
			w.Link(portal).Stall()
			write(t, c, "maybe")
			if err := c.Abort(); err != nil {
				t.Fatal(err)
			}
			silent(t, w, s)
			w.Link(portal).Up()
			if _, err := io.ReadAll(s); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("got %v, want ECONNRESET", err)
			}
		})
	})
}

func TestResetBreaksBothEnds(t *testing.T) {
	Each(t, 50, func(t *testing.T, w *World) {
		do(t, w, func() {
			c, s := connected(t, w)
			defer c.Close()
			defer s.Close()
			l := w.Link(portal)
			if w.Rand().IntN(2) == 0 {
				l.Stall()
				write(t, c, "held")
				w.Sleep(time.Second)
			}
			l.Reset()
			for _, end := range []*Conn{c, s} {
				if _, err := end.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("got %v, want ECONNRESET", err)
				}
			}
			ln, err := w.Listen(portal)
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			if _, err := w.Dial(context.Background(), "", portal); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("dial: got %v, want ECONNREFUSED", err)
			}
			l.Up()
			again, err := w.Dial(context.Background(), "10.0.0.9", portal)
			if err != nil {
				t.Fatal(err)
			}
			if host := again.LocalAddr().(*net.TCPAddr).IP.String(); host != "10.0.0.9" {
				t.Errorf("dialled from %s, want 10.0.0.9", host)
			}
			_ = again.Close()
		})
	})
}

func TestHalfClose(t *testing.T) {
	Each(t, 50, func(t *testing.T, w *World) {
		do(t, w, func() {
			c, s := connected(t, w)
			write(t, c, "question")
			if err := c.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
				t.Errorf("write after CloseWrite: got %v, want EPIPE", err)
			}
			got, err := io.ReadAll(s)
			if string(got) != "question" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
			write(t, s, "answer")
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			readFull(t, c, "answer")
			if _, err := c.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("got %v, want EOF", err)
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
				t.Errorf("got %v, want net.ErrClosed", err)
			}
		})
	})
}

// TestWriteToClosed: the first write after the peer's close is taken, and then its RST comes.
func TestWriteToClosed(t *testing.T) {
	Each(t, 50, func(t *testing.T, w *World) {
		do(t, w, func() {
			c, s := connected(t, w)
			defer c.Close()
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			w.Sleep(time.Second)
			write(t, c, "into the void")
			w.Sleep(time.Second)
			if _, err := c.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("got %v, want ECONNRESET", err)
			}
		})
	})
}

func TestCloseWithUnreadIsReset(t *testing.T) {
	Each(t, 20, func(t *testing.T, w *World) {
		do(t, w, func() {
			c, s := connected(t, w)
			defer c.Close()
			write(t, c, "never read")
			w.Sleep(time.Second)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("got %v, want ECONNRESET", err)
			}
		})
	})
}

func TestPushBack(t *testing.T) {
	w := New(3)
	w.Net = Net{Buffer: 1000}
	do(t, w, func() {
		a, b := w.Pair()
		_ = a.SetWriteDeadline(w.Time().Add(time.Second))
		sent := bytes.Repeat([]byte("0123456789"), 500)
		n, err := a.Write(sent)
		if n != 1000 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %d, %v, want 1000 and a timeout", n, err)
		}
		_ = a.SetWriteDeadline(time.Time{})
		w.Go(func() {
			if _, err := a.Write(sent[n:]); err != nil {
				t.Error(err)
			}
			_ = a.Close()
		})
		got, err := io.ReadAll(b)
		if !bytes.Equal(got, sent) || err != nil {
			t.Errorf("got %d bytes, %v, want %d", len(got), err, len(sent))
		}
		_ = b.Close()
	})
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

func TestBandwidth(t *testing.T) {
	w := New(1)
	w.Net = Net{Bandwidth: 1 << 20, Latency: time.Millisecond}
	do(t, w, func() {
		a, b := w.Pair()
		start := w.Time()
		w.Go(func() { _, _ = a.Write(make([]byte, 10<<20)); _ = a.Close() })
		n, err := io.Copy(io.Discard, b)
		if n != 10<<20 || err != nil {
			t.Errorf("got %d bytes, %v", n, err)
		}
		if got := w.Time().Sub(start); got < 10*time.Second || got > 11*time.Second {
			t.Errorf("10 MiB at 1 MiB/s took %v, want 10 s and a little", got)
		}
		_ = b.Close()
	})
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

// TestSocketLearnsOfReset: a loop is told of a broken socket even if it waits for nothing.
func TestSocketLearnsOfReset(t *testing.T) {
	Each(t, 20, func(t *testing.T, w *World) {
		l := w.NewLoop(loop.Config{})
		do(t, w, func() {
			c, s := connected(t, w)
			e := &echo{}
			adopt(t, l, s, e, &e.watch)
			_ = l.Await(func(done func()) { _ = e.watch.Want(0); done() })
			_ = c.Abort()
			w.Sleep(time.Second)
			if e.end != syscall.ECONNRESET {
				t.Errorf("got %v, want ECONNRESET", e.end)
			}
		})
	})
}
