package nbd

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/blocktest"
	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/blockdev/loop/sim"
	"github.com/hawser-storage/hawser/blockdev/memdev"
)

// simulated is a server in a world of its own, with a client over some connections.
type simulated struct {
	w      *sim.World
	loop   *loop.Loop
	arena  *blockdev.Arena
	dev    blockdev.Device
	server *Server
	served loop.Gate
	front  *front
}

const simAddr = "10.0.0.1:10809"

func newSimulated(t *testing.T, w *sim.World, mem memdev.Config, cfg Config, conns int) *simulated {
	t.Helper()
	arena := blocktest.NewArena(t, 64<<20)
	l := w.NewLoop(loop.Config{})
	mem.Arena = arena
	s := &simulated{w: w, loop: l, arena: arena, dev: memdev.New(l, mem), served: w.NewGate()}
	var err error
	s.server, err = New(l, arena, []Export{{Device: s.dev}}, cfg)
	must(t, err)
	ln, err := w.Listen(simAddr)
	must(t, err)
	w.Go(func() { _ = s.server.Serve(ln); s.served.Open() })
	must(t, w.Do(func() { s.front, err = s.connect(conns) }))
	must(t, err)
	return s
}

func (s *simulated) connect(n int) (*front, error) {
	var conns []net.Conn
	for range n {
		c, err := s.w.Dial(context.Background(), "", simAddr)
		if err != nil {
			return nil, err
		}
		conns = append(conns, c)
	}
	return newFront(s.w, *s.dev.Info(), conns...)
}

func (s *simulated) close(ctx context.Context) error {
	err := errors.Join(s.front.close(), s.server.Close(ctx))
	s.served.Wait()
	return errors.Join(err, s.dev.Close(ctx))
}

// The conformance list and the model, over the wire: odd segments, short reads and writes, several connections, requests that are
// cut, and too little room for all that is asked. One schedule a seed.
func TestConformanceInSimulation(t *testing.T) {
	limits := blockdev.Limits{MaxTransfer: 12 << 10, MaxTrim: 16 << 10, MaxWriteZeroes: 8 << 10}
	for _, tt := range []struct {
		name  string
		mem   memdev.Config
		cfg   Config
		conns int
	}{
		{"one connection", memdev.Config{Size: 4 << 20, FUA: true}, Config{}, 1},
		{"in pieces", memdev.Config{Size: 4 << 20, BlockSize: 4096, Limits: limits}, Config{}, 1},
		{"three connections, no room", memdev.Config{Size: 4 << 20}, Config{Budget: 1 << 20, Depth: 3, Connections: 3}, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, test := range blocktest.All {
				t.Run(test.Name, func(t *testing.T) {
					sim.Each(t, 5, func(t *testing.T, w *sim.World) {
						s := newSimulated(t, w, tt.mem, tt.cfg, tt.conns)
						blocktest.RunOne(t, test, s.fixture(t))
					})
				})
			}
		})
	}
}

func (s *simulated) fixture(t *testing.T) *blocktest.Fixture {
	return &blocktest.Fixture{
		Front: s.front, Loop: s.loop, Arena: s.arena, Zeroed: true,
		Do:    func(fn func()) { must(t, s.w.Do(fn)) },
		Close: s.close,
		Model: blocktest.ModelOptions{Seed: s.w.Seed(), Ops: 400}, // bytes come one by one in some worlds
	}
}

// Clients come, ask for anything, and go in the worst way at any moment; in the end the server is closed among them. Whatever the
// schedule, everything comes back. The world itself fails the test if something hangs.
func TestClientsComeAndGo(t *testing.T) {
	cfg := Config{Budget: 1 << 20, Depth: 8, Connections: 4}
	limits := blockdev.Limits{MaxTransfer: 100 << 10}
	sim.Each(t, 60, func(t *testing.T, w *sim.World) {
		s := newSimulated(t, w, memdev.Config{Size: 4 << 20, Limits: limits}, cfg, 1)
		gone := make([]loop.Gate, 6)
		for i := range gone {
			gone[i] = w.NewGate()
			w.Go(func() {
				defer gone[i].Open()
				for range 5 {
					s.rudeClient()
				}
			})
		}
		must(t, w.Do(func() {
			w.Sleep(time.Duration(w.Rand().Int64N(int64(20 * time.Millisecond))))
			err := s.close(context.Background())
			for _, g := range gone {
				g.Wait()
			}
			if err != nil {
				t.Error(err)
			}
			held := 0
			_ = s.loop.Await(func(done func()) { held = s.arena.Chunks() - s.arena.Free(); done() })
			if v := s.server.volumes[0]; held != 0 || v.clients != 0 || v.reading != 0 || v.quota.Used != 0 {
				t.Errorf("left: %d chunks, %d clients, %d bytes of READs, %d of the quota", held, v.clients, v.reading, v.quota.Used)
			}
		}))
	})
}

// rudeClient sends some requests, reads some of the replies, and breaks off.
func (s *simulated) rudeClient() {
	c, err := s.w.Dial(context.Background(), "", simAddr)
	if err != nil {
		return
	}
	defer c.(*sim.Conn).Abort()
	rng := s.w.Rand()
	if rng.IntN(8) == 0 || goShaking(c) != nil {
		return
	}
	for n := rng.IntN(30); n > 0; n-- {
		kind := []uint16{cmdRead, cmdWrite, cmdFlush, cmdTrim, cmdWriteZeroes, 99}[rng.IntN(6)]
		length := uint32(rng.IntN(1<<uint(rng.IntN(12)))) * 512
		b := request(kind, 0, uint64(n), uint64(rng.IntN(4096))*512, length)
		if kind == cmdWrite {
			b = append(b, make([]byte, rng.IntN(int(length)+1))...)
			if rng.IntN(4) != 0 {
				b = append(b[:requestLen], make([]byte, length)...)
			}
		}
		_ = c.SetDeadline(s.w.Time().Add(time.Duration(rng.Int64N(int64(5 * time.Millisecond)))))
		if _, err := c.Write(b); err != nil {
			return
		}
		if rng.IntN(3) == 0 {
			_, _ = c.Read(make([]byte, rng.IntN(1<<20)))
		}
	}
}
