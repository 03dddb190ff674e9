package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/cmd/internal/api"
	"github.com/hawser-storage/hawser/iscsi/target"
)

// ghost leaves a WRITE of block(1) at the storage that its path was lost with, and that is carried out when release is called, unless that
// path has logged in again before. lost is its portal.
func (r *rig) ghost(n *Node) (lost string, release func()) {
	r.t.Helper()
	kept := r.target.Faults().Add(target.Rule{Ops: target.Writes, Count: 1, Hold: true, Survive: true})
	written := r.write(1)
	r.await("the write", func() bool { return kept.Holding() == 1 })
	v, err := n.Volume(r.t.Context(), "target-0")
	if err != nil {
		r.t.Fatal(err)
	}
	for _, p := range v.Paths {
		if p.InFlight == 1 {
			lost = p.Portal
		}
	}
	r.target.Faults().Down(lost, true)
	if err := <-written; err != nil { // by the other path
		r.t.Fatal(err)
	}
	return lost, kept.Release
}

// write writes block(n) to the first block of the first device.
func (r *rig) write(n byte) <-chan error {
	d, written := r.kernel.device(0), make(chan error, 1)
	go func() {
		_, err := d.client.WriteAt(block(n), 0)
		written <- err
	}()
	return written
}

// claims are the claims that are left.
func (r *rig) claims() int {
	names, _ := os.ReadDir(filepath.Join(filepath.Dir(r.state), "claims"))
	return len(names)
}

// TestAttachedTwice: two devices of one LUN would each have a cache of their own.
func TestAttachedTwice(t *testing.T) {
	r := newRig(t, 1)
	n, s := r.node()
	if _, err := n.Attach(t.Context(), r.request(0)); err != nil {
		t.Fatal(err)
	}
	q := r.request(0)
	q.Name = "again"
	if _, err := n.Attach(t.Context(), q); err == nil || !strings.Contains(err.Error(), "target-0 is attached already, by process") {
		t.Errorf("got %v", err)
	}
	if err := n.Detach(t.Context(), "target-0", true); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Attach(t.Context(), q); err != nil {
		t.Errorf("after the other one is gone: %v", err)
	}
	r.end(n, s, false)
	if n := r.claims(); n != 0 {
		t.Errorf("%d claims are left", n)
	}
}

// TestDetachWaitsForTheFence: when it returns no write of a lost path can be carried out any more.
func TestDetachWaitsForTheFence(t *testing.T) {
	r := newRig(t, 1)
	n, s := r.node()
	if _, err := n.Attach(t.Context(), r.request(0)); err != nil {
		t.Fatal(err)
	}
	lost, release := r.ghost(n)
	detached := make(chan error, 1)
	go func() { detached <- n.Detach(t.Context(), "target-0", false) }()
	r.await("the end of the device", func() bool { return len(r.kernel.List()) == 0 })
	select {
	case err := <-detached:
		t.Errorf("detached beside a write that may be carried out: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	r.target.Faults().Up(lost)
	if err := <-detached; err != nil {
		t.Error(err)
	}
	release()
	if n := r.claims(); n != 0 {
		t.Errorf("%d claims are left", n)
	}
	r.end(n, s, false)
}

// TestDetachSaysWhatIsNotFenced: where the path does not come back it waits no longer than the fence would, and says so.
func TestDetachSaysWhatIsNotFenced(t *testing.T) {
	r := newRig(t, 1)
	n, s := r.node()
	n.cfg.DrainTimeout = time.Millisecond
	q := r.request(0)
	q.Options.FenceTimeout = 3600
	if _, err := n.Attach(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	v := n.all()[0]
	_, release := r.ghost(n)
	v.cfg.Fence = 0 // for the wait alone
	r.wantKind(n.Detach(t.Context(), "target-0", false), api.Lost)
	if all, err := s.all(); err != nil || len(all) != 0 || len(n.all()) != 0 {
		t.Errorf("it is still there: %v, %v", all, err)
	}
	if n := r.claims(); n != 1 {
		t.Errorf("%d claims, want that of the volume", n)
	}
	release()
	r.end(n, s, false)
}

// TestNextAttachIsFenced: what a volume that was given up has left at the storage is the next one's to fence, in this process or another.
func TestNextAttachIsFenced(t *testing.T) {
	r := newRig(t, 1)
	n, s := r.node()
	n.cfg.DrainTimeout = time.Millisecond
	if _, err := n.Attach(t.Context(), r.request(0)); err != nil {
		t.Fatal(err)
	}
	lost, release := r.ghost(n)
	n.all()[0].cfg.Fence = 0 // for the wait alone
	if err := n.Detach(t.Context(), "target-0", true); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Attach(t.Context(), r.request(0)); err != nil {
		t.Fatal(err)
	}
	written := r.write(2)
	r.await("the write", func() bool {
		v, err := n.Volume(t.Context(), "target-0")
		return err == nil && v.Held == 1
	})
	r.target.Faults().Up(lost)
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	release() // too late for it
	got := make([]byte, 512)
	if _, err := r.kernel.device(0).client.ReadAt(got, 0); err != nil || string(got) != string(block(2)[:512]) {
		t.Errorf("a write of the former volume undid a newer one: %v", err)
	}
	r.await("the end of the former claims", func() bool { return r.claims() == 1 })
	r.end(n, s, false)
	if n := r.claims(); n != 0 {
		t.Errorf("%d claims are left", n)
	}
}
