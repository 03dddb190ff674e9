package nbd

import (
	"context"
	"errors"
	"net"
	"testing"

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
		Model: blocktest.ModelOptions{Seed: s.w.Seed()},
	}
}
