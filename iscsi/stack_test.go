package iscsi_test

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/blocktest"
	"github.com/hawser-storage/hawser/blockdev/loop/sim"
	"github.com/hawser-storage/hawser/iscsi"
	"github.com/hawser-storage/hawser/iscsi/target"
	"github.com/hawser-storage/hawser/mpio"
)

// volume is a multipath device over both portals of a rig.
type volume struct {
	*rig
	dev      *mpio.Device
	sessions []*iscsi.Session
}

func newVolume(t *testing.T, w *sim.World, change func(*iscsi.Config)) *volume {
	t.Helper()
	v := &volume{rig: newRig(t, w, target.Config{LUNs: []target.LUN{ram(8<<20, block)}})}
	var paths []mpio.Path
	for _, addr := range []string{portalA, portalB} {
		s := v.session(addr, change)
		v.sessions = append(v.sessions, s)
		paths = append(paths, v.lun(s, 0))
	}
	var err error
	v.dev, err = mpio.New(v.loop, mpio.Config{Name: "volume", Logger: slog.New(slog.DiscardHandler)}, paths...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// open waits for the first path. For tasks.
func (v *volume) open() error {
	for _, s := range v.sessions {
		if err := s.Start(); err != nil {
			return err
		}
	}
	return v.dev.WaitReady(context.Background())
}

func (v *volume) close(ctx context.Context) error {
	if err := v.dev.Close(ctx); err != nil {
		return err
	}
	for _, s := range v.sessions {
		if err := s.Close(ctx); err != nil {
			return err
		}
	}
	return v.target.Close(ctx)
}

func TestVolumeConforms(t *testing.T) {
	seed := uint64(0)
	blocktest.Run(t, func(t *testing.T) *blocktest.Fixture {
		seed++
		w := sim.New(seed)
		t.Cleanup(func() {
			if err := w.Close(); err != nil && !t.Failed() {
				t.Error(err)
			}
		})
		v := newVolume(t, w, nil)
		v.do(func() {
			if err := v.open(); err != nil {
				t.Error(err)
			}
		})
		return &blocktest.Fixture{Dev: v.dev, Loop: v.loop, Arena: v.arena, Zeroed: true, Do: func(fn func()) { v.do(fn) }, Close: v.close}
	})
}

// quick are clocks that make a path's end come soon: faults follow each other every few hundred milliseconds.
func quick(c *iscsi.Config) {
	c.NOOPInterval, c.NOOPTimeout = 200*time.Millisecond, 200*time.Millisecond
	c.LoginTimeout, c.RetryMin, c.RetryMax = second, 10*time.Millisecond, 100*time.Millisecond
}

// TestVolumeOverFlappingPaths cuts one path or the other, by reset and by silence in either or both directions, brings it back, and
// holds the loop up now and then, under a random workload whose every block is checked: no request may fail and no byte be wrong.
func TestVolumeOverFlappingPaths(t *testing.T) {
	n := 150
	switch {
	case os.Getenv("HAWSER_TEST_LONG") == "1":
		n = 20_000
	case testing.Short() || raceEnabled:
		n = 20
	}
	sim.Each(t, n, func(t *testing.T, w *sim.World) {
		v := newVolume(t, w, quick)
		v.do(func() {
			if err := v.open(); err != nil {
				t.Fatal(err)
			}
			stop, stopped := false, w.NewGate()
			w.Go(func() {
				for !stop {
					v.flap()
				}
				stopped.Open()
			})
			err := blocktest.Model(blocktest.NewDeviceFront(v.dev, v.loop, v.arena), blocktest.ModelOptions{Seed: w.Seed(), Ops: 2000, Depth: 32})
			if err != nil {
				t.Error(err)
			}
			stop = true
			stopped.Wait()
			if err := v.close(context.Background()); err != nil {
				t.Error(err)
			}
			if free, all := v.arena.Free(), v.arena.Chunks(); free != all {
				t.Errorf("%d of %d chunks leaked", all-free, all)
			}
			if err := v.arena.Close(); err != nil {
				t.Error(err)
			}
		})
	})
}

// flap is one fault and its end.
func (v *volume) flap() {
	rng := v.w.Rand()
	link := v.w.Link([]string{portalA, portalB}[rng.IntN(2)])
	pause := func(most int) { v.w.Sleep(time.Duration(rng.IntN(most)) * time.Millisecond) }
	pause(20)
	switch rng.IntN(5) {
	case 0:
		link.Reset()
	case 1:
		link.Stall()
	case 2:
		link.StallOneWay(sim.ToServer)
	case 3:
		link.StallOneWay(sim.ToClient)
	case 4:
		v.w.Pause(v.loop, time.Duration(rng.IntN(900))*time.Millisecond)
	}
	pause(900)
	link.Up()
}

// TestVolumeWaitsForAPath: with both paths gone, requests wait, and go on when one is back.
func TestVolumeWaitsForAPath(t *testing.T) {
	sim.Each(t, 10, func(t *testing.T, w *sim.World) {
		v := newVolume(t, w, nil)
		v.do(func() {
			if err := v.open(); err != nil {
				t.Fatal(err)
			}
			w.Link(portalA).Reset()
			w.Link(portalB).Reset()
			w.Go(func() {
				w.Sleep(60 * second)
				w.Link(portalB).Up()
			})
			err := blocktest.Model(blocktest.NewDeviceFront(v.dev, v.loop, v.arena), blocktest.ModelOptions{Seed: w.Seed(), Ops: 200})
			if err != nil {
				t.Error(err)
			}
			w.Link(portalA).Up()
			if err := v.close(context.Background()); err != nil {
				t.Error(err)
			}
		})
	})
}

var (
	_ mpio.Path       = (*iscsi.LUN)(nil)
	_ blockdev.Device = (*iscsi.LUN)(nil)
)

// TestGhostWrite: W is held on one path; the path is lost, W goes by the other and is completed, and a newer X to the same block is
// asked for. X must not be completed before the target has dropped W, and what is there in the end is X.
func TestGhostWrite(t *testing.T) {
	sim.Each(t, 20, func(t *testing.T, w *sim.World) {
		v := newVolume(t, w, quick)
		f := &fixture{rig: v.rig}
		submit := func(r blockdev.Request) *request {
			q := &request{Request: r, gate: w.NewGate()}
			v.loop.Post(func() {
				q.Push(q)
				v.dev.Submit(&q.Request)
			})
			return q
		}
		v.do(func() {
			if err := v.open(); err != nil {
				t.Fatal(err)
			}
			for { // both paths are up
				s, err := v.dev.Stats()
				if err != nil {
					t.Fatal(err)
				}
				if s.Paths[0].State == mpio.StateUp && s.Paths[1].State == mpio.StateUp {
					break
				}
				w.Sleep(second / 10)
			}
			ghost := f.target.Faults().Add(target.Rule{LUNs: []int{0}, Ops: target.Writes, Hold: true, Survive: true, Count: 1})
			old := submit(write(0, fill('w', block)))
			for ghost.Holding() == 0 {
				w.Sleep(second / 100)
			}
			s, err := v.dev.Stats()
			if err != nil {
				t.Fatal(err)
			}
			lost := portalA
			if s.Paths[1].Stats.Ops[blockdev.Write].InFlight > 0 {
				lost = portalB
			}
			w.Link(lost).Stall()
			if old.wait(); old.err != nil {
				t.Fatal(old.err)
			}
			x := submit(write(0, fill('x', block)))
			if q := submit(write(8*block, fill('y', block))).wait(); q.err != nil {
				t.Errorf("a write elsewhere: %v", q.err)
			}
			w.Sleep(5 * second)
			if s, err := v.dev.Stats(); err != nil || s.Held != 1 {
				t.Errorf("%d writes wait for the fence, %v, want 1", s.Held, err)
			}
			w.Link(lost).Up()
			if x.wait(); x.err != nil {
				t.Error(x.err)
			}
			ghost.Release()
			w.Sleep(second)
			if q := submit(read(0, block)).wait(); q.err != nil || q.got[0] != 'x' {
				t.Errorf("the block has %q, %v, want the newer write", q.got[:1], q.err)
			}
			if err := v.close(context.Background()); err != nil {
				t.Error(err)
			}
		})
	})
}
