//go:build vm

package device

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hawser-storage/hawser/iscsi/target"
	"github.com/hawser-storage/hawser/scripts/relay"
)

// TestKilledInDetach: the daemon is killed while an fsync of its device waits, on its behalf, for a storage that is silent. It is gone at
// once all the same, the next daemon takes the device over, and the fsync comes to its end with all that was written.
func TestKilledInDetach(t *testing.T) {
	h := newHost(t, "ram:64M,wce=on")
	device := h.attach(0, "--fence-timeout", "10")
	h.cutAll(relay.Silent)
	held, data := h.heldBack(device)
	detach := h.once([]string{os.Getenv("HAWSER"), "detach", device})
	h.await("an fsync that waits", func() bool { return waiting("blkdev_fsync") })
	h.killDaemon()
	detach.fails()
	if !waiting("blkdev_fsync") {
		t.Error("no fsync waits any more: nothing was tried")
	}
	h.cutAll(relay.Open)
	h.startDaemon()
	h.await("the end of the fsync", func() bool { return !waiting("blkdev_fsync") })
	h.wantUp(device)
	got, err := h.tool("dd", "if="+device, "bs=1M", "count=1", "iflag=direct", "status=none")
	if err != nil || got != string(data) {
		t.Errorf("what was written is not there, %v", err)
	}
	if err := held.Close(); err != nil {
		t.Error(err)
	}
	h.hawser("detach", device)
}

// TestKilledInAttach: the same while the first read of a device waits.
func TestKilledInAttach(t *testing.T) {
	h := newHost(t, "ram:64M")
	kept := h.target.Faults().Add(target.Rule{Ops: target.Reads, Hold: true})
	attach := h.once(append([]string{os.Getenv("HAWSER")}, attachArgs(0)...))
	h.await("a read that waits", func() bool { return kept.Holding() > 0 && (waiting("bdev_open") || waiting("blkdev_read_iter")) })
	h.killDaemon()
	attach.fails()
	kept.Release()
	h.startDaemon()
	h.wantUp(h.list()[0].Device)
}

// heldBack writes to a device what the host does not pass on yet. A node of another name keeps the device open, so that hawser sees nobody
// who uses it, and nothing is written because it is closed.
func (h *host) heldBack(device string) (*os.File, []byte) {
	h.t.Helper()
	node := filepath.Join(h.t.TempDir(), "node")
	h.run("cp", "-a", device, node)
	f, err := os.OpenFile(node, os.O_WRONLY, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = f.Close() })
	data := bytes.Repeat([]byte("held back "), 1<<20/10+1)[:1<<20]
	if _, err := f.Write(data); err != nil {
		h.t.Fatal(err)
	}
	return f, data
}

// waiting says whether a thread waits in the kernel, somewhere below a function.
func waiting(function string) bool {
	stacks, _ := filepath.Glob("/proc/[0-9]*/task/*/stack")
	for _, s := range stacks {
		if b, err := os.ReadFile(s); err == nil && strings.Contains(string(b), " "+function+"+") {
			return true
		}
	}
	return false
}

// wantUp waits until the only volume is up, and looks at the rest of it.
func (h *host) wantUp(device string) {
	h.t.Helper()
	h.await("two paths", func() bool { return h.pathsUp() == 2 })
	if v := h.list(); len(v) != 1 || v[0].State != "up" || v[0].Device != device || v[0].Errors.Count != 0 {
		h.t.Errorf("the list is %+v", v)
	}
}
