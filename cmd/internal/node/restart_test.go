package node

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev/nbd/kernel"
	"github.com/hawser-storage/hawser/cmd/internal/api"
)

// storage switches all portals.
func (r *rig) storage(up bool) {
	for _, a := range r.addrs {
		if up {
			r.target.Faults().Up(a)
		} else {
			r.target.Faults().Down(a, true)
		}
	}
}

// TestDetachWhatIsNotTakenOver: a device whose volume waits for its storage after a restart is no less a device: it stays if it is used,
// and goes with the volume.
func TestDetachWhatIsNotTakenOver(t *testing.T) {
	for _, force := range []bool{false, true} {
		r := newRig(t, 1)
		n, s := r.node()
		if _, err := n.Attach(t.Context(), r.request(0)); err != nil {
			t.Fatal(err)
		}
		d := r.kernel.device(0)
		d.holders = []kernel.Holder{{Kind: kernel.Mount}}
		r.end(n, s, true)
		r.storage(false)
		n, s = r.node()
		soon, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if err := n.Restore(soon); err != nil {
			t.Error(err)
		}
		r.wantKind(n.Detach(t.Context(), "target-0", false), api.Busy)
		if !force { // it is still being taken up
			r.storage(true)
			r.await("the volume", func() bool {
				v, err := n.Volume(t.Context(), "target-0")
				return err == nil && v.State == api.Up
			})
		}
		if err := n.Detach(t.Context(), "target-0", true); err != nil {
			t.Error(err)
		}
		if all, err := s.all(); err != nil || len(all) != 0 || len(r.kernel.List()) != 0 {
			t.Errorf("left: %v, %v, %v", r.kernel.List(), all, err)
		}
		r.storage(true)
		r.end(n, s, false)
	}
}

// TestGrownMeanwhile: a device that is taken over gets the size that the volume has now.
func TestGrownMeanwhile(t *testing.T) {
	r := newRig(t, 1)
	n, s := r.node()
	if _, err := n.Attach(t.Context(), r.request(0)); err != nil {
		t.Fatal(err)
	}
	d := r.kernel.device(0)
	r.end(n, s, true)
	if err := r.target.Faults().Resize(0, 16<<20); err != nil {
		t.Fatal(err)
	}
	n, s = r.node()
	if err := n.Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.await("the new size", func() bool { return d.Size() == 16<<20 })
	r.end(n, s, false)
}

// TestNoResizeWithoutAPath: it would hold up the nbd driver for every device of the host.
func TestNoResizeWithoutAPath(t *testing.T) {
	r := newRig(t, 1)
	n, s := r.node()
	if _, err := n.Attach(t.Context(), r.request(0)); err != nil {
		t.Fatal(err)
	}
	d, v := r.kernel.device(0), n.all()[0]
	d.before = func(uint64) {
		if v.stack.PathsUp() == 0 {
			t.Error("resized without a path")
		}
	}
	r.storage(false)
	r.await("the loss of the paths", func() bool { return v.stack.PathsUp() == 0 })
	d.mu.Lock()
	d.size /= 2
	d.mu.Unlock()
	v.resized(0)
	time.Sleep(50 * time.Millisecond)
	r.storage(true)
	r.await("the size", func() bool { return d.Size() == 8<<20 })
	r.end(n, s, false)
}

// TestAttachThatWasGivenUp: who asked is gone in the moment that it was done, or before it began.
func TestAttachThatWasGivenUp(t *testing.T) {
	r := newRig(t, 1)
	n, s := r.node()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := n.Attach(ctx, r.request(0)); err == nil {
		t.Error("attached for nobody")
	}
	v := n.newVolume("target-0", record{Request: r.request(0)})
	if err := n.enter(v); err != nil {
		t.Fatal(err)
	}
	if err := v.suspend(); err != nil { // before it has begun
		t.Error(err)
	}
	if err := v.attach(); !errors.Is(err, errGivenUp) {
		t.Errorf("got %v", err)
	}
	if all, err := s.all(); err != nil || len(all) != 0 || len(n.all()) != 0 || len(r.kernel.List()) != 0 {
		t.Errorf("left: %v, %v, %v, %v", all, n.all(), r.kernel.List(), err)
	}
	r.end(n, s, false)
}

// TestNameTakenAgainAtOnce: the record of a volume that takes the name of one that is being detached stays.
func TestNameTakenAgainAtOnce(t *testing.T) {
	r := newRig(t, 1)
	n, s := r.node()
	for range 20 {
		if _, err := n.Attach(t.Context(), r.request(0)); err != nil {
			t.Fatal(err)
		}
		detached := make(chan error, 1)
		go func() { detached <- n.Detach(t.Context(), "target-0", true) }()
		r.await("the second attach", func() bool {
			_, err := n.Attach(t.Context(), r.request(0))
			if err != nil && api.KindOf(err) != api.Exists {
				t.Fatal(err)
			}
			return err == nil
		})
		if err := <-detached; err != nil {
			t.Error(err)
		}
		if all, err := s.all(); err != nil || len(all) != 1 {
			t.Fatalf("the store has %v, %v", all, err)
		}
		if err := n.Detach(t.Context(), "target-0", true); err != nil {
			t.Error(err)
		}
	}
	r.end(n, s, false)
}
