package iscsi_test

import (
	"context"
	"errors"
	"testing"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop/sim"
	"github.com/hawser-storage/hawser/iscsi"
	"github.com/hawser-storage/hawser/iscsi/target"
)

// TestLUNCloseByMany: everybody who closes a unit comes back, and who gave up is told so.
func TestLUNCloseByMany(t *testing.T) {
	sim.Each(t, 5, func(t *testing.T, w *sim.World) {
		oneLUN(t, w, nil, func(f *fixture) {
			h := f.target.Faults().Add(target.Rule{LUNs: []int{0}, Ops: target.Writes, Hold: true})
			q := f.start(write(0, fill('x', block)))
			for h.Holding() == 0 {
				f.w.Sleep(second / 100)
			}
			first := w.NewGate()
			w.Go(func() {
				if err := f.u.Close(context.Background()); err != nil {
					t.Errorf("the patient one: %v", err)
				}
				first.Open()
			})
			f.w.Sleep(second)
			given, cancel := context.WithCancel(context.Background())
			cancel()
			if err := f.u.Close(given); !errors.Is(err, context.Canceled) {
				t.Errorf("the impatient one: got %v, want %v", err, context.Canceled)
			}
			f.outcome(q.wait(), blockdev.Unknown)
			first.Wait()
		})
	})
}

// TestStartAfterClose does nothing.
func TestStartAfterClose(t *testing.T) {
	w := sim.New(1)
	r := newRig(t, w, target.Config{LUNs: []target.LUN{ram(8<<20, block)}})
	s := r.session(portalA, nil)
	r.do(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if err := s.Start(); err != nil && !errors.Is(err, iscsi.ErrShutdown) {
			t.Error(err)
		}
		if err := r.close(s); err != nil {
			t.Error(err)
		}
	})
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}
