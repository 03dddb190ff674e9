//go:build vm

package device

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/hawser-storage/hawser/scripts/proc"
)

// fsKind is a file system and how it is looked at.
type fsKind struct {
	name  string
	make  []string
	check []string
}

var fileSystems = []fsKind{
	{"ext4", []string{"mkfs.ext4", "-q", "-F"}, []string{"e2fsck", "-f", "-n"}},
	{"xfs", []string{"mkfs.xfs", "-q", "-f"}, []string{"xfs_repair", "-n"}},
}

// mount makes a file system on a device and mounts it.
func (h *host) mount(fs fsKind, device string) (dir string) {
	h.t.Helper()
	h.run(fs.make[0], append(fs.make[1:], device)...)
	return h.mountOnly(fs, device)
}

func (h *host) mountOnly(fs fsKind, device string) (dir string) {
	h.t.Helper()
	dir = h.t.TempDir()
	h.run("mount", "-t", fs.name, device, dir)
	h.t.Cleanup(func() { h.unmountLeft(dir) })
	return dir
}

// unmountLeft is for a test that failed. Without a daemon to write to, it would wait for one.
func (h *host) unmountLeft(dir string) {
	select {
	case <-h.daemon.Done():
		if d, err := proc.Start(os.Getenv("HAWSER"), "daemon"); err == nil {
			h.daemon = d
		}
	default:
	}
	_ = exec.Command("umount", "-l", dir).Run() // it is not mounted if the test did not fail
}

// unmount unmounts and looks whether the file system is whole.
func (h *host) unmount(fs fsKind, device, dir string) {
	h.t.Helper()
	h.run("umount", dir)
	h.run(fs.check[0], append(fs.check[1:], device)...)
}

// verify writes files in a directory and reads them back, checksums compared.
func verifyJob(dir string, args ...string) []string {
	return append([]string{
		"fio", "--name=verify", "--directory=" + dir, "--rw=randrw", "--bssplit=4k/60:16k/20:64k/15:256k/5", "--size=16m", "--ioengine=psync",
		"--thread", "--numjobs=2", "--verify=crc32c", "--verify_fatal=1", "--verify_backlog=256", "--verify_state_save=0", "--fsync=64", "--randseed=7",
	}, args...)
}

func TestFileSystem(t *testing.T) {
	for i, block := range []string{"512", "4096"} {
		for j, fs := range fileSystems {
			if i != j && os.Getenv("HAWSER_TEST_LONG") != "1" {
				continue // ext4 on small blocks, xfs on large ones
			}
			t.Run(fs.name+"-"+block, func(t *testing.T) {
				h := newHost(t, "ram:400M,thin=on,wce=on,block="+block)
				device := h.attach(0)
				dir := h.mount(fs, device)
				before := h.storage.tally()
				job := verifyJob(dir)
				h.run(job[0], job[1:]...)
				h.synced(before)
				h.trims(dir)
				h.unmount(fs, device, dir)
				h.discards(device)
			})
		}
	}
}

// synced fails the test if nothing was made durable since then.
func (h *host) synced(since tally) {
	h.t.Helper()
	if h.storage.tally().syncs == since.syncs {
		h.t.Error("fsync did not reach the target")
	}
}

// trims frees what a job has left in a directory, of which the storage has to hear.
func (h *host) trims(dir string) {
	t := h.t
	t.Helper()
	const freed = 8 << 20 // at least
	before := h.storage.tally()
	h.run("fallocate", "--punch-hole", "--offset", "0", "--length", "8M", filepath.Join(dir, "verify.0.0"))
	if err := os.Remove(filepath.Join(dir, "verify.1.0")); err != nil {
		t.Fatal(err)
	}
	h.run("sync", "-f", dir)
	h.run("fstrim", dir)
	after := h.storage.tally()
	if after.unmaps == before.unmaps {
		t.Error("fstrim did not reach the target")
	}
	if before.allocated > 0 && after.allocated > before.allocated-freed {
		t.Errorf("fstrim gave too little back: of %d bytes %d are still allocated", before.allocated, after.allocated)
	}
}

// discards empties a device.
func (h *host) discards(device string) {
	t := h.t
	t.Helper()
	before := h.storage.tally()
	h.run("blkdiscard", device)
	after := h.storage.tally()
	if after.unmaps == before.unmaps {
		t.Error("blkdiscard did not reach the target")
	}
	if after.allocated > 0 {
		t.Errorf("blkdiscard left %d bytes allocated", after.allocated)
	}
	h.run("blkdiscard", "--zeroout", "--length", "64M", device)
}
