package vm

import (
	"strings"
	"testing"
)

// TestSystemd: the root boots as a host does: udev names the disk, systemd mounts what /etc/fstab says of it, and
// unmounts it when it shuts down.
func TestSystemd(t *testing.T) {
	disk := image(t, "mkfs.ext4", "-q")
	result, err := inVM(t, Config{
		Init:    Systemd,
		Prepare: `mkdir /mnt/disk; echo '/dev/disk/by-id/virtio-disk0 /mnt/disk ext4 defaults 0 2' >/etc/fstab`,
		Disks:   []string{disk},
		Command: Shell(`
			cat /proc/1/comm
			findmnt -n -o SOURCE /mnt/disk
			echo kept >/mnt/disk/file
			systemctl is-system-running --wait || systemctl --failed`),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := result.Stdout, "systemd\n/dev/vda\nrunning\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	contains(t, run(t, "debugfs", "-R", "cat file", disk), "kept\n")
	// One that was not unmounted needs its journal.
	if got := run(t, "dumpe2fs", "-h", disk); strings.Contains(got, "needs_recovery") {
		t.Errorf("the file system was not unmounted:\n%s", got)
	}
}
