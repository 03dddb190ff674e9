//go:build vm

package kernel_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev/nbd/kernel"
)

func TestHolders(t *testing.T) {
	spec := specOf(t, 64*mib)
	d, _, _ := attach(t, spec)
	name := filepath.Base(d.Path())
	expect := func(what string, want ...string) {
		t.Helper()
		var got []string
		for _, h := range holders(d) {
			got = append(got, h.String())
		}
		t.Logf("%s: %q", what, got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
		err := d.CheckUnused(deadline(t, patience))
		if (err == nil) != (len(want) == 0) {
			t.Errorf("%s: CheckUnused: %v", what, err)
		}
	}
	expect("nobody")

	sleep := holdOpen(t, d.Path())
	expect("a process", fmt.Sprintf("open by sleep (process %d)", sleep.Process.Pid))
	must(t, sleep.Process.Kill())
	_ = sleep.Wait()

	point := filepath.Join(t.TempDir(), "a mount point")
	must(t, os.Mkdir(point, 0o700))
	run(t, "mkfs.ext4", "-q", d.Path())
	run(t, "mount", d.Path(), point)
	expect("ext4", "mounted at "+point)
	run(t, "umount", point)
	expect("after umount")

	// A mount that only another namespace has.
	away := exec.Command("unshare", "-m", "sh", "-c", `mount "$0" "$1" && echo ready && exec sleep 1000`, d.Path(), point)
	said, err := away.StdoutPipe()
	must(t, err)
	must(t, away.Start())
	_, err = said.Read(make([]byte, 5))
	must(t, err)
	expect("another namespace", fmt.Sprintf("mounted at %s in the mount namespace of process %d", point, away.Process.Pid))
	must(t, away.Process.Kill())
	_ = away.Wait()
	eventuallyUnused(t, d)

	run(t, "mkswap", d.Path())
	run(t, "swapon", d.Path())
	expect("swap", "used as swap")
	run(t, "swapoff", d.Path())

	run(t, "sh", "-c", "echo ,32M | sfdisk --wipe always "+d.Path())
	run(t, "mkfs.ext4", "-q", "-F", d.Path()+"p1")
	run(t, "mount", d.Path()+"p1", point)
	expect("a partition", name+"p1 mounted at "+point)
	run(t, "umount", point)

	run(t, "modprobe", "loop")
	loop := strings.TrimSpace(run(t, "losetup", "-f", "--show", d.Path()+"p1"))
	expect("a loop device", "below "+filepath.Base(loop))
	run(t, "losetup", "-d", loop)
	expect("after losetup -d")
}

// holders leaves out udev, where there is one: it has a look now and then.
func holders(d *kernel.Device) []kernel.Holder {
	return slices.DeleteFunc(kernel.Holders(d.Index()), func(h kernel.Holder) bool { return strings.Contains(h.Name, "udev") })
}

func eventuallyUnused(t *testing.T, d *kernel.Device) {
	t.Helper()
	var err error
	for start := time.Now(); time.Since(start) < patience; time.Sleep(20 * time.Millisecond) {
		if err = d.CheckUnused(deadline(t, patience)); err == nil {
			return
		}
	}
	t.Fatal(err)
}

func TestHoldersVolumeGroup(t *testing.T) {
	spec := specOf(t, 64*mib)
	d, _, _ := attach(t, spec)
	spec.Backend = "the foreign one"
	e, _, _ := attach(t, spec)
	run(t, "modprobe", "dm-mod")
	config := []string{"--config", `devices{filter=["a|/dev/nbd.*|","r|.*|"] use_devicesfile=0} activation{udev_sync=0 udev_rules=0} global{event_activation=0}`}
	lvm := func(args ...string) { t.Helper(); run(t, "lvm", append(args, config...)...) }
	lvm("pvcreate", "-q", d.Path(), e.Path())
	lvm("vgcreate", "-q", "my-group", d.Path(), e.Path())
	lvm("lvcreate", "-q", "-y", "-n", "data", "-L", "80M", "my-group")
	point := t.TempDir()
	run(t, "mkfs.ext4", "-q", "/dev/mapper/my--group-data")
	run(t, "mount", "/dev/mapper/my--group-data", point)
	var got []string
	for _, h := range holders(d) {
		got = append(got, h.String())
	}
	want := []string{
		"my--group-data mounted at " + point,
		fmt.Sprintf("volume group my-group (logical volume my--group-data; also on %s)", e.Path()),
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := d.CheckUnused(deadline(t, patience)); !errors.Is(err, kernel.ErrBusy) {
		t.Errorf("got %v, want a BusyError", err)
	} else {
		t.Log(err)
	}
	run(t, "umount", point)
	lvm("vgchange", "-q", "-an", "my-group")
	eventuallyUnused(t, d)

	// A map that is no volume group, and what is seen of it only by asking for exclusive use.
	run(t, "dmsetup", "create", "plain", "--noudevsync", "--table", "0 2048 linear "+d.Path()+" 0")
	if got := fmt.Sprint(holders(d)); got != "[mapped as plain]" {
		t.Errorf("got %s, want [mapped as plain]", got)
	}
	run(t, "dmsetup", "remove", "--noudevsync", "plain")
	eventuallyUnused(t, d)

	f, err := os.OpenFile(d.Path(), os.O_RDONLY|syscall.O_EXCL, 0)
	must(t, err)
	if err := d.CheckUnused(deadline(t, patience)); !errors.Is(err, kernel.ErrBusy) || !strings.Contains(err.Error(), "exclusive") {
		t.Errorf("got %v, want a BusyError", err)
	} else {
		t.Log(err)
	}
	must(t, f.Close())
}
