package nbd

import (
	"bytes"
	"errors"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev/memdev"
)

// pair is two ends of a unix socket: the server's and a client's.
func (b *bench) pair() (net.Conn, *client) {
	b.t.Helper()
	ln, err := net.Listen("unix", filepath.Join(b.t.TempDir(), "pair"))
	if err != nil {
		b.t.Fatal(err)
	}
	defer ln.Close()
	ours, err := net.Dial("unix", ln.Addr().String())
	if err != nil {
		b.t.Fatal(err)
	}
	theirs, err := ln.Accept()
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = theirs.Close() })
	_ = theirs.SetDeadline(time.Now().Add(patience))
	return ours, &client{t: b.t, Conn: theirs}
}

func TestTransmit(t *testing.T) {
	b := newBench(t, ram(memdev.Config{Size: 64 << 20}), Config{Connections: 1})
	ours, c := b.pair()
	if err := b.server.Transmit("disk", ours); err != nil {
		t.Fatal(err)
	}
	want := noise(1, 1<<20)
	c.write(4096, want)
	c.flush()
	if got := c.read(4096, len(want)); !bytes.Equal(got, want) {
		t.Error("what was written came back changed")
	}
	second, gone := b.pair()
	if err := b.server.Transmit("disk", second); !errors.Is(err, ErrInUse) {
		t.Errorf("a second client: %v", err)
	}
	gone.ended()
	third, gone := b.pair()
	if err := b.server.Transmit("other", third); err == nil {
		t.Error("an export that is not there was served")
	}
	gone.ended()
	c.leave()
}

// TestTransmitWaitsForThePredecessor: while a request of a client that is gone is still the device's, nobody may send it again.
func TestTransmitWaitsForThePredecessor(t *testing.T) {
	s, dev := newScript(disk)
	closed := make(chan error, 1)
	b := newBench(t, dev, Config{Connections: 1, Closed: func(_ string, err error) { closed <- err }})
	s.arena = b.arena
	ours, c := b.pair()
	if err := b.server.Transmit("disk", ours); err != nil {
		t.Fatal(err)
	}
	c.send(append(request(cmdWrite, 0, 1, 0, 4096), noise(1, 4096)...))
	held := <-s.arrived
	_ = c.Close()
	b.until(func() bool { return len(b.server.conns) == 1 && b.server.conns[0].state >= draining })
	next, gone := b.pair()
	if err := b.server.Transmit("disk", next); !errors.Is(err, ErrInUse) {
		t.Errorf("while a write of its predecessor is in flight: %v", err)
	}
	gone.ended()
	s.complete(t, held, nil)
	<-closed
	next, c = b.pair()
	if err := b.server.Transmit("disk", next); err != nil {
		t.Errorf("after it: %v", err)
	}
	c.leave()
	<-closed
}
