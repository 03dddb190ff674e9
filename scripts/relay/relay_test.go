package relay

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo answers every byte with the same, on every connection, until the test ends.
func echo(t *testing.T) (address string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(conn, conn)
				_ = conn.Close()
			}()
		}
	}()
	return ln.Addr().String()
}

func open(t *testing.T) *Relay {
	t.Helper()
	r, err := Listen("127.0.0.1:0", echo(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func dial(t *testing.T, r *Relay) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// ask sends a byte and waits for its echo, for at most the given time.
func ask(conn net.Conn, wait time.Duration) error {
	if _, err := conn.Write([]byte{7}); err != nil {
		return err
	}
	if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, make([]byte, 1))
	return err
}

const long, short = 2 * time.Minute, 50 * time.Millisecond

func TestCarriesAndCounts(t *testing.T) {
	r := open(t)
	if err := ask(dial(t, r), long); err != nil {
		t.Fatal(err)
	}
	if sent, back := r.Carried(); sent != 1 || back != 1 {
		t.Errorf("got %d and %d bytes carried, want 1 and 1", sent, back)
	}
}

func TestReset(t *testing.T) {
	r := open(t)
	conn := dial(t, r)
	if err := ask(conn, long); err != nil {
		t.Fatal(err)
	}
	r.Cut(Reset)
	if err := ask(conn, long); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		t.Errorf("the connection: got %v, want a reset", err)
	}
	if conn, err := net.Dial("tcp", r.Addr()); err == nil { // or it was reset already
		if err := ask(conn, long); err == nil {
			t.Error("a new connection was carried")
		}
		_ = conn.Close()
	}
	r.Cut(Open)
	if err := ask(dial(t, r), long); err != nil {
		t.Errorf("after it: %v", err)
	}
}

func TestSilence(t *testing.T) {
	r := open(t)
	conn := dial(t, r)
	if err := ask(conn, long); err != nil {
		t.Fatal(err)
	}
	r.Cut(Silent)
	fresh := dial(t, r)
	for name, c := range map[string]net.Conn{"old": conn, "new": fresh} {
		if err := ask(c, short); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the %s connection: got %v, want nothing at all", name, err)
		}
	}
	r.Cut(Open)
	for name, c := range map[string]net.Conn{"old": conn, "new": fresh} {
		if err := ask(c, long); err == nil {
			t.Errorf("the %s connection came back to life", name)
		}
	}
	if sent, _ := r.Carried(); sent != 1 {
		t.Errorf("got %d bytes carried, want only the first", sent)
	}
	if err := ask(dial(t, r), long); err != nil {
		t.Errorf("after it: %v", err)
	}
}

func TestSilenceHidesNewConnections(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	r, err := Listen("127.0.0.1:0", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	r.Cut(Silent)
	if err := ask(dial(t, r), short); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("in silence: got %v, want nothing at all", err)
	}
	r.Cut(Open)
	if _, err := dial(t, r).Write([]byte("b")); err != nil {
		t.Fatal(err)
	}
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got, err := io.ReadAll(io.LimitReader(conn, 1)); string(got) != "b" {
		t.Errorf("the first connection that was heard of says %q, %v, want that after the silence", got, err)
	}
}
