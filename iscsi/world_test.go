package iscsi_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/blocktest"
	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/blockdev/loop/sim"
	"github.com/hawser-storage/hawser/iscsi"
	"github.com/hawser-storage/hawser/iscsi/target"
)

const (
	portalA = "10.0.0.1:3260"
	portalB = "10.0.1.1:3260"
	arenaMB = 48
)

// rig is an embedded target with two portals, and an initiator, in a world of their own.
type rig struct {
	t      *testing.T
	w      *sim.World
	loop   *loop.Loop // the initiator's
	arena  *blockdev.Arena
	target *target.Target
}

// newRig makes a target with the given LUNs and forced keys. Every violation of the protocol by the initiator fails the test.
func newRig(t *testing.T, w *sim.World, cfg target.Config) *rig {
	t.Helper()
	arena, err := blockdev.NewArena(arenaMB << 20)
	if err != nil {
		t.Fatal(err)
	}
	cfg.OnViolation = func(v target.Violation) { t.Errorf("the target saw a violation: %v", v) }
	tl := w.NewLoop(loop.Config{})
	tgt, err := target.New(tl, cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, w: w, loop: w.NewLoop(loop.Config{}), arena: arena, target: tgt}
	for i, addr := range []string{portalA, portalB} {
		ln, err := w.Listen(addr)
		if err != nil {
			t.Fatal(err)
		}
		w.Go(func() { _ = tgt.Serve(ln, uint16(i+1)) })
	}
	return r
}

func ram(size uint64, blockSize uint32) target.LUN {
	return target.LUN{Kind: target.KindRAM, Size: size, BlockSize: blockSize, Thin: true, WriteCache: true}
}

// session makes a session through a portal; change may alter its configuration.
func (r *rig) session(addr string, change func(*iscsi.Config)) *iscsi.Session {
	r.t.Helper()
	p, err := iscsi.ParsePortal(addr)
	if err != nil {
		r.t.Fatal(err)
	}
	cfg := iscsi.Config{
		InitiatorName: "iqn.2026-11.io.hawser:test",
		TargetName:    target.DefaultIQN,
		Portal:        p,
		Logger:        slog.New(slog.DiscardHandler),
		Dial: func(ctx context.Context, cfg *iscsi.Config) (net.Conn, error) {
			return r.w.Dial(ctx, "", cfg.Portal.Address())
		},
	}
	if change != nil {
		change(&cfg)
	}
	s, err := iscsi.NewSession(r.loop, r.arena, cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

func (r *rig) lun(s *iscsi.Session, n int) *iscsi.LUN {
	r.t.Helper()
	u, err := s.LUN(n)
	if err != nil {
		r.t.Fatal(err)
	}
	return u
}

// state notes what a path tells of itself, and lets a task wait for it.
type state struct {
	w     *sim.World
	up    bool
	ups   int
	downs int
	err   error
	lost  int // times that its cache was
	gates []loop.Gate
}

func (s *state) PathUp(*blockdev.Info) { s.up, s.ups = true, s.ups+1; s.wake() }
func (s *state) CacheLost(error)       { s.lost++ }
func (s *state) PathDown(err error)    { s.up, s.downs, s.err = false, s.downs+1, err; s.wake() }

func (s *state) wake() {
	for _, g := range s.gates {
		g.Open()
	}
	s.gates = nil
}

// await returns when cond holds. For tasks.
func (s *state) await(cond func() bool) {
	for !cond() {
		g := s.w.NewGate()
		s.gates = append(s.gates, g)
		g.Wait()
	}
}

// watch follows a LUN.
func (r *rig) watch(u *iscsi.LUN) *state {
	s := &state{w: r.w}
	r.loop.Post(func() { u.Watch(s) })
	return s
}

// close ends what the initiator holds, and then the target. For tasks.
func (r *rig) close(sessions ...*iscsi.Session) error {
	for _, s := range sessions {
		if err := s.Close(context.Background()); err != nil {
			return err
		}
	}
	if err := r.target.Close(context.Background()); err != nil {
		return err
	}
	if free, all := r.arena.Free(), r.arena.Chunks(); free != all {
		return fmt.Errorf("%d of %d chunks leaked", all-free, all)
	}
	return r.arena.Close()
}

// do runs fn as the world's task.
func (r *rig) do(fn func()) {
	r.t.Helper()
	if err := r.w.Do(fn); err != nil {
		r.t.Fatal(err)
	}
}

// lunFixture is a LUN under the conformance list.
func lunFixture(t *testing.T, w *sim.World, cfg target.Config, change func(*iscsi.Config)) *blocktest.Fixture {
	r := newRig(t, w, cfg)
	s := r.session(portalA, change)
	u := r.lun(s, 0)
	st := r.watch(u)
	r.do(func() {
		if err := s.Start(); err != nil {
			t.Error(err)
			return
		}
		st.await(func() bool { return st.up })
	})
	return &blocktest.Fixture{
		Dev: u, Loop: r.loop, Arena: r.arena, Zeroed: true,
		Do: func(fn func()) { r.do(fn) },
		Close: func(ctx context.Context) error {
			if err := u.Close(ctx); err != nil {
				return err
			}
			if err := s.Close(ctx); err != nil {
				return err
			}
			return r.target.Close(ctx)
		},
	}
}

const second = time.Second
