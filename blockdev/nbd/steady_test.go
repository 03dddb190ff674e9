package nbd

import (
	"context"
	"net"
	"os"
	"syscall"
	"testing"
	"unsafe"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/blockdev/memdev"
)

// steady is a connection in the transmission phase over a socket pair, on a loop that the test turns: nothing else runs.
type steady struct {
	t      testing.TB
	loop   *loop.Loop
	arena  *blockdev.Arena
	server *Server
	fd     int // the client's
	in     []byte
}

func newSteady(t testing.TB, dev func(l *loop.Loop) blockdev.Device) *steady {
	t.Helper()
	l, err := loop.New(loop.Config{})
	must(t, err)
	arena, err := blockdev.NewArena(64 << 20)
	must(t, err)
	s, err := New(l, arena, []Export{{Device: dev(l)}}, Config{})
	must(t, err)
	fd, nc := socketPair(t)
	must(t, s.begin(nc))
	s.endShaking(nc)
	s.enter(s.volumes[0])
	s.adopt(nc, s.volumes[0])
	st := &steady{t: t, loop: l, arena: arena, server: s, fd: fd, in: make([]byte, 4<<20)}
	t.Cleanup(st.close)
	return st
}

// socketPair is a client's descriptor and a server's connection.
func socketPair(t testing.TB) (int, net.Conn) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK, 0)
	must(t, err)
	must(t, syscall.SetsockoptInt(fds[0], syscall.SOL_SOCKET, syscall.SO_SNDBUF, 4<<20))
	f := os.NewFile(uintptr(fds[1]), "server")
	nc, err := net.FileConn(f)
	must(t, err)
	must(t, f.Close())
	return fds[0], nc
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *steady) close() {
	must(s.t, syscall.Close(s.fd))
	for len(s.server.conns) > 0 {
		must(s.t, s.loop.Turn(false))
	}
	must(s.t, s.server.Close(context.Background()))
	s.loop.Stop()
	must(s.t, s.loop.Run())
	must(s.t, s.arena.Close())
}

// exchange sends a batch and turns the loop until so many bytes have come back.
func (s *steady) exchange(out []byte, want int) {
	for sent := 0; sent < len(out) || want > 0; {
		if sent < len(out) {
			if n, err := syscall.Write(s.fd, out[sent:]); err == nil {
				sent += n
			}
		}
		if err := s.loop.Turn(false); err != nil {
			s.t.Fatal(err)
		}
		if n, err := syscall.Read(s.fd, s.in); err == nil {
			want -= n
		}
	}
}

// mix is a batch of n WRITEs, n READs and some others, and the bytes of its replies.
func mix(size, n int) (out []byte, replies int) {
	for i := range uint64(n) {
		out = append(append(out, request(cmdWrite, 0, i, i<<20, uint32(size))...), make([]byte, size)...)
		out = append(out, request(cmdRead, 0, i, i<<20, uint32(size))...)
		replies += 2*replyLen + size
	}
	out = append(out, request(cmdFlush, 0, 99, 0, 0)...)
	out = append(out, request(cmdTrim, 0, 99, 0, 1<<20)...)
	out = append(out, request(cmdWriteZeroes, 0, 99, 0, 1<<20)...)
	return out, replies + 3*replyLen
}

func TestNothingIsAllocated(t *testing.T) {
	limits := blockdev.Limits{MaxTransfer: 32 << 10, MaxTrim: 64 << 10}
	for name, cfg := range map[string]memdev.Config{
		"whole":     {Size: 1 << 30, Null: true, FUA: true},
		"in pieces": {Size: 1 << 30, Null: true, Limits: limits},
	} {
		for _, size := range []int{512, 4096, 64 << 10, 256 << 10} {
			s := newSteady(t, ram(cfg))
			out, replies := mix(size, 16)
			for range 20 {
				s.exchange(out, replies)
			}
			if got := testing.AllocsPerRun(50, func() { s.exchange(out, replies) }); got != 0 {
				t.Errorf("%s, %d bytes: %v allocations for 35 requests", name, size, got)
			}
		}
	}
}

// witness is a device that looks where a WRITE's payload lies, and remembers what it lent.
type witness struct {
	*memdev.Device
	lo, hi uintptr // the arena
	wrote  uint64
	moved  uint64 // bytes of WRITEs that are not in the arena
	lent   map[*byte]bool
}

func (w *witness) Submit(r *blockdev.Request) {
	if r.Op == blockdev.Write {
		for _, s := range r.Data {
			p := uintptr(unsafe.Pointer(&s.Bytes[0]))
			w.wrote += uint64(len(s.Bytes))
			if p < w.lo || p+uintptr(len(s.Bytes)) > w.hi {
				w.moved += uint64(len(s.Bytes))
			}
		}
	}
	r.Push(w)
	w.Device.Submit(r)
}

func (w *witness) Completed(r *blockdev.Request, err error) {
	if r.Op == blockdev.Read {
		for _, s := range r.Data {
			w.lent[&s.Bytes[0]] = true
		}
	}
	r.Complete(err)
}

// spy looks at what goes to the socket.
type spy struct {
	loop.Socket
	w       *witness
	payload uint64
	strange uint64
}

func (s *spy) Writev(bufs [][]byte) (int, error) {
	for _, b := range bufs {
		if len(b) == replyLen {
			continue
		}
		s.payload += uint64(len(b))
		if !s.w.lent[&b[0]] {
			s.strange += uint64(len(b))
		}
	}
	return s.Socket.Writev(bufs)
}

// Payload is not copied: a device gets a WRITE where it was received, and a READ leaves from where the device lent it.
func TestNothingIsCopied(t *testing.T) {
	for size, n := range map[int]int{512: 16, 4096: 16, 64 << 10: 8, 1 << 20: 1} { // no more than the socket takes at once
		w := &witness{lent: map[*byte]bool{}}
		s := newSteady(t, func(l *loop.Loop) blockdev.Device {
			w.Device = memdev.New(l, memdev.Config{Size: 32 << 20})
			return w
		})
		w.lo, w.hi = span(s.arena)
		c := s.server.conns[0]
		sp := &spy{Socket: c.watch.Socket, w: w}
		c.watch.Socket = sp
		out, replies := mix(size, n)
		s.exchange(out, replies)
		c.watch.Socket = sp.Socket
		if w.wrote != uint64(n*size) || w.moved != 0 {
			t.Errorf("%d bytes: %d of %d written bytes were moved", size, w.moved, w.wrote)
		}
		if sp.payload != uint64(n*size) || sp.strange != 0 {
			t.Errorf("%d bytes: %d of %d read bytes were moved", size, sp.strange, sp.payload)
		}
		if got, most := s.server.stats.CopiedBytes, requestLen*uint64(len(out)/blockdev.ChunkSize); got > most {
			t.Errorf("%d bytes: %d bytes copied; want no more than a header at a chunk's end: %d", size, got, most)
		}
	}
}

// span is where the arena lies.
func span(a *blockdev.Arena) (lo, hi uintptr) {
	var all []*blockdev.Chunk
	for c := a.Get(nil); c != nil; c = a.Get(nil) {
		p := uintptr(unsafe.Pointer(&c.Bytes[0]))
		if lo == 0 || p < lo {
			lo = p
		}
		hi = max(hi, p+blockdev.ChunkSize)
		all = append(all, c)
	}
	for _, c := range all {
		c.Drop()
	}
	return lo, hi
}

// A connection with nothing in flight holds no memory.
func TestIdleHoldsNothing(t *testing.T) {
	s := newSteady(t, ram(memdev.Config{Size: 32 << 20}))
	for _, size := range []int{512, 4096, 64 << 10, 1 << 20} {
		out, replies := mix(size, 16)
		s.exchange(out, replies)
		if held := s.arena.Chunks() - s.arena.Free(); held != 0 {
			t.Errorf("%d chunks are held after requests of %d bytes", held, size)
		}
	}
}

func BenchmarkExchange(b *testing.B) {
	for _, size := range []int{4096, 64 << 10} {
		b.Run(map[int]string{4096: "4K", 64 << 10: "64K"}[size], func(b *testing.B) {
			s := newSteady(b, ram(memdev.Config{Size: 1 << 30, Null: true}))
			out, replies := mix(size, 16)
			b.ReportAllocs()
			for b.Loop() {
				s.exchange(out, replies)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/35, "ns/request")
		})
	}
}
