package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/blockdev/nbd/kernel"
	"github.com/hawser-storage/hawser/cmd/internal/api"
	"github.com/hawser-storage/hawser/iscsi/scsi"
	"github.com/hawser-storage/hawser/iscsi/target"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience ends a hang.
const patience = 2 * time.Minute

const initiator = "iqn.2026-11.io.hawser:node-test"

// rig is a storage of two portals, a kernel, and where a node keeps what outlives it.
type rig struct {
	t      *testing.T
	target *target.Target
	addrs  []string
	kernel *fakeKernel
	state  string
}

func newRig(t *testing.T, luns int) *rig {
	t.Helper()
	l, err := loop.New(loop.Config{})
	if err != nil {
		t.Fatal(err)
	}
	cfg := target.Config{}
	for range luns {
		cfg.LUNs = append(cfg.LUNs, target.LUN{Kind: target.KindRAM, Size: 8 << 20, BlockSize: 512})
	}
	ended := make(chan error, 1)
	go func() { ended <- l.Run() }()
	r := &rig{t: t, kernel: newFakeKernel(t), state: filepath.Join(t.TempDir(), "state.db")}
	if r.target, err = target.New(l, cfg); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 2)
	for tag := range uint16(2) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		r.addrs = append(r.addrs, ln.Addr().String())
		go func() { served <- r.target.Serve(ln, tag+1) }()
	}
	r.await("the portals", func() bool { return len(r.target.Faults().Portals()) == 2 })
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := r.target.Close(ctx); err != nil {
			t.Error(err)
		}
		<-served
		<-served
		l.Stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return r
}

// node starts one, with its store.
func (r *rig) node() (*Node, *Store) {
	r.t.Helper()
	s, err := OpenStore(r.t.Context(), r.state)
	if err != nil {
		r.t.Fatal(err)
	}
	n := New(Config{
		Initiator: initiator, Store: s, Claims: filepath.Join(filepath.Dir(r.state), "claims"), Front: r.kernel, Version: "test", Daemon: true,
		Log: slog.New(slog.DiscardHandler),
	})
	return n, s
}

// end ends one.
func (r *rig) end(n *Node, s *Store, keep bool) {
	r.t.Helper()
	if err := errors.Join(n.Close(context.Background(), keep), s.Close()); err != nil {
		r.t.Errorf("close: %v", err)
	}
}

func (r *rig) url(lun int) string {
	return fmt.Sprintf("iscsi://%s,%s/%s/%d", r.addrs[0], r.addrs[1], r.target.IQN(), lun)
}

func (r *rig) request(lun int) api.AttachRequest {
	return api.AttachRequest{URLs: []string{r.url(lun)}}
}

func (r *rig) await(what string, ok func() bool) {
	r.t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("%s did not happen", what)
		}
	}
}

func (r *rig) sessions() (n int) {
	for _, p := range r.target.Snapshot().Portals {
		n += p.Sessions
	}
	return n
}

func (r *rig) wantKind(err error, kind api.Kind) {
	r.t.Helper()
	if api.KindOf(err) != kind {
		r.t.Errorf("got %q (%v), want kind %q", api.KindOf(err), err, kind)
	}
}

func block(n byte) []byte { return bytes.Repeat([]byte{n}, 4096) }

func TestAttachDetach(t *testing.T) {
	r := newRig(t, 2)
	n, s := r.node()
	ctx := t.Context()
	v, err := n.Attach(ctx, r.request(0))
	if err != nil {
		t.Fatal(err)
	}
	if v.Name != "target-0" || v.Device != "/dev/nbd0" || v.State != api.Up || v.Size != 8<<20 || len(v.Paths) != 2 || len(v.Warnings) != 2 {
		t.Errorf("attached as %+v", v)
	}
	d := r.kernel.device(0)
	if want := "hawser:target-0:" + v.Identity; d.spec.Backend != want || d.spec.BlockSize != 512 || d.spec.DeadConnTimeout != defaultDeadConn {
		t.Errorf("the device is made with %+v", d.spec)
	}
	if want := []string{"/dev/hawser/target-0"}; !slices.Equal(d.told, want) {
		t.Errorf("udev was told of %q, want %q", d.told, want)
	}
	if _, err := d.client.WriteAt(block(7), 8192); err != nil {
		t.Error(err)
	}
	_, err = n.Attach(ctx, r.request(0))
	r.wantKind(err, api.Exists)
	again := r.request(1)
	again.Device = "/dev/nbd0"
	_, err = n.Attach(ctx, again)
	r.wantKind(err, api.Busy)
	if v, err := n.Volume(ctx, "/dev/nbd0"); err != nil || v.Name != "target-0" {
		t.Errorf("by its device: %+v, %v", v, err)
	}
	_, err = n.Volume(ctx, "other")
	r.wantKind(err, api.NotFound)
	if err := n.Detach(ctx, "target-0", true); err != nil { // by force: there is no node that could be flushed
		t.Error(err)
	}
	all, err := n.Volumes(ctx)
	if err != nil || len(all) != 0 || len(r.kernel.List()) != 0 {
		t.Errorf("left: %v, %v, %v", all, r.kernel.List(), err)
	}
	r.await("the logout", func() bool { return r.sessions() == 0 })
	r.end(n, s, false)
}

func TestAttachRefuses(t *testing.T) {
	r := newRig(t, 1)
	n, s := r.node()
	for what, change := range map[string]func(q *api.AttachRequest){
		"name":    func(q *api.AttachRequest) { q.Name = "../x" },
		"device":  func(q *api.AttachRequest) { q.Device = "/dev/sda" },
		"no URL":  func(q *api.AttachRequest) { q.URLs = nil },
		"bad URL": func(q *api.AttachRequest) { q.URLs = []string{"http://a/b"} },
		"memory":  func(q *api.AttachRequest) { q.Options.Memory = 1 << 40 },
		"little":  func(q *api.AttachRequest) { q.Options.Memory = 1 << 20 },
		"iqn":     func(q *api.AttachRequest) { q.Options.Initiator = "me" },
		"time":    func(q *api.AttachRequest) { q.Options.LoginTimeout = -1 },
	} {
		q := r.request(0)
		change(&q)
		_, err := n.Attach(t.Context(), q)
		if api.KindOf(err) != api.Usage {
			t.Errorf("%s: got %v", what, err)
		}
	}
	q := r.request(9)
	_, err := n.Attach(t.Context(), q)
	r.wantKind(err, api.Failed)
	if err == nil || !strings.Contains(err.Error(), "no LUN 9") {
		t.Errorf("got %v", err)
	}
	if all, err := s.all(); err != nil || len(all) != 0 {
		t.Errorf("the store remembers %v, %v", all, err)
	}
	r.await("the logout", func() bool { return r.sessions() == 0 })
	r.end(n, s, false)
}

// TestStoreInUse: the next process waits for the store as long as it likes.
func TestStoreInUse(t *testing.T) {
	r := newRig(t, 1)
	n, s := r.node()
	ctx, cancel := context.WithCancelCause(t.Context())
	gaveUp := errors.New("no patience")
	cancel(gaveUp)
	if _, err := OpenStore(ctx, r.state); !errors.Is(err, gaveUp) || !strings.Contains(err.Error(), "another process has it") {
		t.Errorf("got %v, want that another process has it", err)
	}
	opened := make(chan error, 1)
	go func() {
		next, err := OpenStore(t.Context(), r.state)
		opened <- errors.Join(err, next.Close())
	}()
	select {
	case err := <-opened:
		t.Errorf("opened twice: %v", err)
	case <-time.After(3 * openAgain):
	}
	r.end(n, s, false)
	if err := <-opened; err != nil {
		t.Error(err)
	}
}

// TestSessionsAreShared: the LUNs of a target have one session for each portal, and the end of one does not touch the others.
func TestSessionsAreShared(t *testing.T) {
	const luns = 8
	r := newRig(t, luns)
	n, s := r.node()
	errs := make(chan error, luns)
	for lun := range luns {
		go func() {
			_, err := n.Attach(t.Context(), r.request(lun))
			errs <- err
		}()
	}
	for range luns {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	if got := r.sessions(); got != 2 {
		t.Errorf("%d sessions for %d volumes by two portals", got, luns)
	}
	if err := n.Detach(t.Context(), "target-3", true); err != nil {
		t.Error(err)
	}
	_, err := n.Attach(t.Context(), api.AttachRequest{URLs: []string{r.url(99)}})
	r.wantKind(err, api.Failed)
	all, _ := n.Volumes(t.Context())
	for _, v := range all {
		d := r.kernel.device(int(v.Device[len(v.Device)-1] - '0'))
		if _, err := d.client.WriteAt(block(1), 0); err != nil {
			t.Errorf("%s: %v", v.Name, err)
		}
	}
	for _, p := range r.target.Snapshot().Portals {
		if p.Logins != 1 {
			t.Errorf("%d logins by %s: a connection was lost on the way", p.Logins, p.Portal)
		}
	}
	other := r.request(3)
	other.Options.DataDigest = []string{"CRC32C"}
	if _, err := n.Attach(t.Context(), other); err == nil || !strings.Contains(err.Error(), "other options") {
		t.Errorf("other options on a shared session: %v", err)
	}
	r.end(n, s, false)
	r.await("the logout", func() bool { return r.sessions() == 0 })
}

// TestSuccessor: a node that ends leaves its devices to the next one, which takes them over with all that there is to know.
func TestSuccessor(t *testing.T) {
	r := newRig(t, 1)
	n, s := r.node()
	q := r.request(0)
	q.Name = "data"
	first, err := n.Attach(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	d := r.kernel.device(0)
	if _, err := d.client.WriteAt(block(1), 0); err != nil {
		t.Fatal(err)
	}
	failed := r.target.Faults().Add(target.Rule{Ops: target.Reads, Count: 1, Status: scsi.StatusCheckCondition, Sense: scsi.NewSense(scsi.KeyMediumError, scsi.CodeUnrecoveredRead)})
	_ = failed
	_, readErr := d.client.ReadAt(make([]byte, 4096), 0)
	if readErr == nil {
		t.Error("a medium error was not told")
	}
	r.await("the note of the error", func() bool {
		all, err := s.all()
		return err == nil && all["data"].Errors.Count == 1
	})
	r.end(n, s, true)
	if len(r.kernel.List()) != 1 {
		t.Fatal("the device went with the node")
	}
	n, s = r.node()
	if err := n.Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	v, err := n.Volume(t.Context(), "data")
	if err != nil || v.State != api.Up || v.Device != first.Device || !v.Since.Equal(first.Since) || v.Errors.Count != 1 {
		t.Errorf("taken over as %+v, %v", v, err)
	}
	got := make([]byte, 4096)
	if _, err := d.client.ReadAt(got, 0); err != nil || !bytes.Equal(got, block(1)) || d.fresh != 1 {
		t.Errorf("after %d fresh connections: %v", d.fresh, err)
	}
	if len(d.told) != 1 {
		t.Errorf("udev was told of %q, want nothing of what it knows", d.told)
	}
	if _, err := d.client.WriteAt(block(2), 0); err != nil {
		t.Error(err)
	}
	r.end(n, s, false)
}

// TestRestoreWaitsForTheStorage: the volume comes when its storage does, and may be given up before.
func TestRestoreWaitsForTheStorage(t *testing.T) {
	r := newRig(t, 2)
	n, s := r.node()
	for lun := range 2 {
		if _, err := n.Attach(t.Context(), r.request(lun)); err != nil {
			t.Fatal(err)
		}
	}
	r.end(n, s, true)
	for _, a := range r.addrs {
		r.target.Faults().Down(a, true)
	}
	n, s = r.node()
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := n.Restore(soon); err != nil {
		t.Error(err)
	}
	if v, err := n.Volume(t.Context(), "target-0"); err != nil || v.State != api.Attaching {
		t.Errorf("without its storage: %+v, %v", v, err)
	}
	if err := n.Detach(t.Context(), "target-1", false); err != nil {
		t.Errorf("given up: %v", err)
	}
	for _, a := range r.addrs {
		r.target.Faults().Up(a)
	}
	r.await("the volume", func() bool {
		v, err := n.Volume(t.Context(), "target-0")
		return err == nil && v.State == api.Up
	})
	all, err := s.all()
	if err != nil || len(all) != 1 {
		t.Errorf("the store has %v, %v", all, err)
	}
	r.end(n, s, false)
}

// TestOnce: what was attached for this run of the host only is not taken up in another one.
func TestOnce(t *testing.T) {
	r := newRig(t, 1)
	n, s := r.node()
	q := r.request(0)
	q.Once = true
	if _, err := n.Attach(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	r.end(n, s, true)
	n, s = r.node()
	n.boot = "another"
	if err := n.Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all, err := n.Volumes(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("taken up: %v, %v", all, err)
	}
	r.end(n, s, false)
}

func TestBusy(t *testing.T) {
	r := newRig(t, 1)
	n, s := r.node()
	if _, err := n.Attach(t.Context(), r.request(0)); err != nil {
		t.Fatal(err)
	}
	d := r.kernel.device(0)
	d.holders = []kernel.Holder{{Kind: kernel.Mount}}
	err := n.Detach(t.Context(), "target-0", false)
	r.wantKind(err, api.Busy)
	if e, ok := errors.AsType[*api.Error](err); !ok || len(e.Holders) != 1 {
		t.Errorf("got %v", err)
	}
	if _, err := d.client.WriteAt(block(1), 0); err != nil {
		t.Errorf("after a detach that was refused: %v", err)
	}
	if err := n.Detach(t.Context(), "target-0", true); err != nil {
		t.Errorf("by force: %v", err)
	}
	r.end(n, s, false)
}

// TestLostConnection: a device whose connection breaks, and that is still there, gets another one, at the second attempt if need be.
func TestLostConnection(t *testing.T) {
	r := newRig(t, 1)
	n, s := r.node()
	if _, err := n.Attach(t.Context(), r.request(0)); err != nil {
		t.Fatal(err)
	}
	d := r.kernel.device(0)
	d.mu.Lock()
	d.refuse = 1
	d.mu.Unlock()
	_ = d.client.Close()
	r.await("a fresh connection", func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.fresh == 1
	})
	r.await("an answer", func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		_, err := d.client.ReadAt(make([]byte, 512), 0)
		return err == nil
	})
	r.end(n, s, false)
}

// TestRelease: at the shutdown of the host a volume goes when its last user does, and comes back with the next start.
func TestRelease(t *testing.T) {
	r := newRig(t, 2)
	n, s := r.node()
	for lun := range 2 {
		if _, err := n.Attach(t.Context(), r.request(lun)); err != nil {
			t.Fatal(err)
		}
	}
	busy := r.kernel.device(0)
	busy.holders = []kernel.Holder{{Kind: kernel.Mount}}
	released := make(chan error, 1)
	go func() { released <- n.Release(t.Context()) }()
	r.await("the release of what nobody uses", func() bool { return len(r.kernel.List()) == 1 })
	select {
	case err := <-released:
		t.Fatalf("released with a device in use: %v", err)
	default:
	}
	busy.mu.Lock()
	busy.holders = nil
	busy.mu.Unlock()
	if err := <-released; err != nil || len(r.kernel.List()) != 0 {
		t.Errorf("%v, left %v", err, r.kernel.List())
	}
	r.end(n, s, true)
	n, s = r.node()
	if err := n.Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all, err := n.Volumes(t.Context()); err != nil || len(all) != 2 {
		t.Errorf("after the next start: %v, %v", all, err)
	}
	r.end(n, s, false)
}
