//go:build vm

package device

import (
	"strings"
	"testing"
)

// TestResize: the storage enlarges the LUN under a mounted file system with a load on it. The device follows, by itself or when it is asked
// to, and the file system grows into it.
func TestResize(t *testing.T) {
	fs := fileSystems[0]
	h := newHost(t, "ram:200M,thin=on,wce=on")
	device := h.attach(0)
	dir := h.mount(fs, device)
	l := h.start(verifyJob(dir))
	for i, size := range []uint64{300 << 20, 400 << 20} {
		l.awaitTraffic(0)
		if err := h.target.Faults().Resize(0, size); err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			h.hawser("rescan", "target-0")
		}
		h.await("the new size of the device", func() bool {
			l.goesOn()
			return strings.TrimSpace(h.run("blockdev", "--getsize64", device)) == format(size)
		})
		h.run("resize2fs", device)
	}
	l.ends()
	if v := h.list(); len(v) != 1 || v[0].Size != 400<<20 || v[0].Errors.Count != 0 {
		t.Errorf("list says %+v", v)
	}
	h.unmount(fs, device, dir)
}

// TestReadOnly: a LUN that is read-only makes a device that is.
func TestReadOnly(t *testing.T) {
	h := newHost(t, "ram:64M,ro=on")
	device := h.attach(0)
	if got := strings.TrimSpace(h.run("blockdev", "--getro", device)); got != "1" {
		t.Errorf("getro says %s", got)
	}
	h.run("dd", "if="+device, "of=/dev/null", "bs=1M", "iflag=direct", "status=none")
	if out, err := h.tool("dd", "if=/dev/zero", "of="+device, "bs=4k", "count=1", "oflag=direct"); err == nil {
		t.Errorf("it was written to: %s", out)
	}
}

// TestPartitions are seen, and mounted.
func TestPartitions(t *testing.T) {
	fs := fileSystems[0]
	h := newHost(t, "ram:200M")
	device := h.attach(0)
	h.run("parted", "-s", device, "mklabel", "gpt", "mkpart", "a", "1MiB", "100MiB", "mkpart", "b", "100MiB", "100%")
	h.await("the partitions", func() bool { return exists(device+"p1") && exists(device+"p2") })
	dir := h.mount(fs, device+"p2")
	if out, err := h.try("detach", device); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a device with a mounted partition was to be detached: %s, %v", out, err)
	}
	h.unmount(fs, device+"p2", dir)
	h.hawser("detach", device)
	device = h.attach(0)
	h.await("the partitions again", func() bool { return exists(device + "p2") })
	dir = h.mountOnly(fs, device+"p2")
	h.unmount(fs, device+"p2", dir)
}
