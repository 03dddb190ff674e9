package nbd

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/blockdev/memdev"
	"github.com/pojntfx/go-nbd/pkg/protocol"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience caps every wait of a test, so that a hang fails; nothing is measured against it.
const patience = 2 * time.Minute

// bench is a server over one loop. At its end everything has to be back.
type bench struct {
	t      testing.TB
	loop   *loop.Loop
	arena  *blockdev.Arena
	server *Server
	ln     net.Listener
}

type device func(l *loop.Loop) blockdev.Device

func ram(cfg memdev.Config) device {
	return func(l *loop.Loop) blockdev.Device { return memdev.New(l, cfg) }
}

// newBench serves one device as "disk" on a unix socket.
func newBench(t testing.TB, dev device, cfg Config) *bench {
	t.Helper()
	l, err := loop.New(loop.Config{})
	if err != nil {
		t.Fatal(err)
	}
	arena, err := blockdev.NewArena(96 << 20)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, loop: l, arena: arena}
	exports := []Export{{Name: "disk", Description: "a disk", Device: dev(l)}}
	if b.server, err = New(l, arena, exports, cfg); err != nil {
		t.Fatal(err)
	}
	if b.ln, err = net.Listen("unix", filepath.Join(t.TempDir(), "s")); err != nil {
		t.Fatal(err)
	}
	ran, served := make(chan error, 1), make(chan error, 1)
	go func() { ran <- l.Run() }()
	go func() { served <- b.server.Serve(b.ln) }()
	t.Cleanup(func() {
		b.close()
		if err := <-served; err != ErrClosed {
			t.Errorf("Serve: got %v, want %v", err, ErrClosed)
		}
		l.Stop()
		if err := <-ran; err != nil {
			t.Error(err)
		}
		if err := arena.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// close closes the server and checks that nothing is left.
func (b *bench) close() {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := b.server.Close(ctx); err != nil {
		b.t.Error(err)
	}
	b.onLoop(func() {
		if free := b.arena.Free(); free != b.arena.Chunks() {
			b.t.Errorf("%d of %d chunks were not given back", b.arena.Chunks()-free, b.arena.Chunks())
		}
		for _, v := range b.server.volumes {
			if v.quota.Used != 0 || v.reading != 0 || len(v.readers)+len(v.writers) != 0 || v.clients != 0 {
				b.t.Errorf("left: %d chunks, %d bytes of READs, %d waiting, %d clients", v.quota.Used, v.reading, len(v.readers)+len(v.writers), v.clients)
			}
		}
	})
}

func (b *bench) onLoop(fn func()) {
	b.t.Helper()
	if err := b.loop.Await(func(done func()) { fn(); done() }); err != nil {
		b.t.Error(err)
	}
}

// client speaks the wire in the plainest way.
type client struct {
	t testing.TB
	net.Conn
	size  uint64
	flags uint16
}

// dial connects and does nothing.
func (b *bench) dial() *client {
	b.t.Helper()
	nc, err := net.Dial("unix", b.ln.Addr().String())
	if err != nil {
		b.t.Fatal(err)
	}
	_ = nc.SetDeadline(time.Now().Add(patience))
	c := &client{t: b.t, Conn: nc}
	b.t.Cleanup(func() { _ = nc.Close() })
	return c
}

// attach connects and chooses "disk" in the short old way.
func (b *bench) attach() *client {
	b.t.Helper()
	c := b.dial()
	c.greet(3)
	c.option(optExportName, []byte("disk"))
	got := c.recv(10)
	c.size, c.flags = binary.BigEndian.Uint64(got), binary.BigEndian.Uint16(got[8:])
	return c
}

func (c *client) greet(flags uint32) {
	c.t.Helper()
	got := c.recv(18)
	if binary.BigEndian.Uint64(got) != protocol.NEGOTIATION_MAGIC_OLDSTYLE || binary.BigEndian.Uint64(got[8:]) != protocol.NEGOTIATION_MAGIC_OPTION {
		c.t.Fatalf("greeting % x", got)
	}
	c.send(binary.BigEndian.AppendUint32(nil, flags))
}

func (c *client) option(id uint32, data []byte) {
	c.t.Helper()
	b := binary.BigEndian.AppendUint64(nil, protocol.NEGOTIATION_MAGIC_OPTION)
	b = binary.BigEndian.AppendUint32(b, id)
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	c.send(append(b, data...))
}

func (c *client) send(b []byte) {
	c.t.Helper()
	if _, err := c.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) recv(n int) []byte {
	c.t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(c, b); err != nil {
		c.t.Fatal(err)
	}
	return b
}

// ended waits for the end of the stream.
func (c *client) ended() {
	c.t.Helper()
	if n, err := io.Copy(io.Discard, c.Conn); n != 0 || err != nil && !isReset(err) {
		c.t.Errorf("%d more bytes, %v; want the end", n, err)
	}
}

func request(kind, flags uint16, handle, off uint64, length uint32) []byte {
	b := binary.BigEndian.AppendUint32(nil, protocol.TRANSMISSION_MAGIC_REQUEST)
	b = binary.BigEndian.AppendUint16(b, flags)
	b = binary.BigEndian.AppendUint16(b, kind)
	b = binary.BigEndian.AppendUint64(b, handle)
	b = binary.BigEndian.AppendUint64(b, off)
	return binary.BigEndian.AppendUint32(b, length)
}

// reply reads a reply's header.
func (c *client) reply() (handle uint64, errno uint32) {
	c.t.Helper()
	b := c.recv(replyLen)
	if m := binary.BigEndian.Uint32(b); m != protocol.TRANSMISSION_MAGIC_REPLY {
		c.t.Fatalf("a reply began with %#x", m)
	}
	return binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint32(b[4:])
}

// do sends a request and waits for its reply, which must be the next.
func (c *client) do(kind, flags uint16, off uint64, length uint32, payload []byte) uint32 {
	c.t.Helper()
	const handle = 0x1122334455667788
	c.send(append(request(kind, flags, handle, off, length), payload...))
	got, errno := c.reply()
	if got != handle {
		c.t.Fatalf("reply to %#x, want %#x", got, uint64(handle))
	}
	return errno
}

func (c *client) write(off uint64, p []byte) {
	c.t.Helper()
	if errno := c.do(cmdWrite, 0, off, uint32(len(p)), p); errno != 0 {
		c.t.Fatalf("WRITE %d+%d: error %d", off, len(p), errno)
	}
}

func (c *client) read(off uint64, n int) []byte {
	c.t.Helper()
	if errno := c.do(cmdRead, 0, off, uint32(n), nil); errno != 0 {
		c.t.Fatalf("READ %d+%d: error %d", off, n, errno)
	}
	return c.recv(n)
}

// leave disconnects in order.
func (c *client) leave() {
	c.t.Helper()
	c.send(request(cmdDisc, 0, 0, 0, 0))
	c.ended()
	_ = c.Close()
}

func (c *client) flush() {
	c.t.Helper()
	if errno := c.do(cmdFlush, 0, 0, 0, nil); errno != 0 {
		c.t.Fatalf("FLUSH: error %d", errno)
	}
}

func newPipe(t testing.TB) net.Conn {
	a, b := net.Pipe()
	t.Cleanup(func() { _ = b.Close() })
	return a
}
