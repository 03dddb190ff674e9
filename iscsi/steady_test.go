package iscsi_test

import (
	"context"
	"log/slog"
	"net"
	"runtime"
	"testing"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/blocktest"
	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/iscsi"
	"github.com/hawser-storage/hawser/iscsi/target"
	"github.com/hawser-storage/hawser/mpio"
)

// steady keeps a number of requests in flight until so many have come back, on the loop, without allocating.
type steady struct {
	dev    blockdev.Device
	left   int // to submit
	flying int
	next   uint64
	copied int // READ segments outside the arena
	err    error
	done   func()
}

// lane is one of the requests in flight, used again and again.
type lane struct {
	blockdev.Request
	s    *steady
	data []blockdev.Segment // of a WRITE
}

func (n *lane) Completed(r *blockdev.Request, err error) {
	s := n.s
	if err != nil {
		s.err = err
	}
	if r.Op == blockdev.Read {
		for i := range r.Data {
			if !r.Data[i].InArena() {
				s.copied++
			}
		}
	}
	s.flying--
	if s.left > 0 {
		n.submit()
		return
	}
	if s.flying == 0 {
		s.done()
	}
}

func (n *lane) submit() {
	s := n.s
	s.left--
	s.flying++
	n.Offset = s.next
	s.next = (s.next + n.Length) % s.dev.Info().Size
	if n.Op == blockdev.Write {
		n.Data = n.data
	}
	n.Push(n)
	s.dev.Submit(&n.Request)
}

// run does count requests, depth at a time.
func (s *steady) run(l *loop.Loop, lanes []*lane, count int) error {
	s.left = count
	if err := l.Await(func(done func()) {
		s.done = done
		for _, n := range lanes {
			n.submit()
		}
	}); err != nil {
		return err
	}
	return s.err
}

// TestSteadyPathAllocatesNothing runs requests over two paths to the embedded target, over TCP: after a first round, nothing on the
// way there and back may allocate, and payload that comes in is lent where the socket put it.
func TestSteadyPathAllocatesNothing(t *testing.T) {
	v := newTCPVolume(t)
	for name, c := range map[string]struct {
		op     blockdev.Op
		length uint64
		depth  int
	}{
		"READ 4K":   {blockdev.Read, 4096, 32},
		"WRITE 4K":  {blockdev.Write, 4096, 32},
		"READ 1M":   {blockdev.Read, 1 << 20, 4},
		"WRITE 1M":  {blockdev.Write, 1 << 20, 4},
		"FLUSH":     {blockdev.Flush, 0, 4},
		"READ QD1":  {blockdev.Read, 4096, 1},
		"WRITE QD1": {blockdev.Write, 4096, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := &steady{dev: v.dev}
			var lanes []*lane
			for range c.depth {
				n := &lane{s: s, Request: blockdev.Request{Op: c.op, Length: c.length, Data: make([]blockdev.Segment, 0, 64)}}
				if c.op == blockdev.Write {
					n.data = []blockdev.Segment{blockdev.Own(make([]byte, c.length))}
				}
				lanes = append(lanes, n)
			}
			const count = 2000
			if err := s.run(v.loop, lanes, count); err != nil { // pools and queues grow to their size
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if err := s.run(v.loop, lanes, count); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			// The runs themselves, the garbage collector and keepalives allocate a few times, whatever the count.
			if got := after.Mallocs - before.Mallocs; got > count/20 {
				t.Errorf("%d allocations in %d requests, want none", got, count)
			}
			if s.copied > 0 {
				t.Errorf("%d segments of READ data were not where they were received", s.copied)
			}
		})
	}
}

// tcpVolume is two paths over real sockets.
type tcpVolume struct {
	loop *loop.Loop
	dev  *mpio.Device
}

func newTCPVolume(t *testing.T) *tcpVolume {
	t.Helper()
	arena := blocktest.NewArena(t, 64<<20) // before the loop, to be closed after it
	tl, l := blocktest.NewLoop(t), blocktest.NewLoop(t)
	lun := target.LUN{Kind: target.KindNull, Size: 1 << 30, BlockSize: 512, WriteCache: true}
	tgt, err := target.New(tl, target.Config{LUNs: []target.LUN{lun}, OnViolation: func(v target.Violation) { t.Error(v) }})
	if err != nil {
		t.Fatal(err)
	}
	v := &tcpVolume{loop: l}
	var sessions []*iscsi.Session
	var paths []mpio.Path
	for i := range 2 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = tgt.Serve(ln, uint16(i+1)) }()
		portal, err := iscsi.ParsePortal(ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		s, err := iscsi.NewSession(l, arena, iscsi.Config{
			InitiatorName: "iqn.2026-11.io.hawser:steady", TargetName: tgt.IQN(), Portal: portal, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		path, err := s.LUN(0)
		if err != nil {
			t.Fatal(err)
		}
		sessions, paths = append(sessions, s), append(paths, path)
	}
	if v.dev, err = mpio.New(l, mpio.Config{Name: "steady", Logger: slog.New(slog.DiscardHandler)}, paths...); err != nil {
		t.Fatal(err)
	}
	for _, s := range sessions {
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.dev.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.Background()
		if err := v.dev.Close(ctx); err != nil {
			t.Error(err)
		}
		for _, s := range sessions {
			if err := s.Close(ctx); err != nil {
				t.Error(err)
			}
		}
		if err := tgt.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return v
}
