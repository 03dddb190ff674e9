package kernel

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

const (
	groupUUID = "tQhWnnPwrMW9XNdNcPcSn1Tg4mH0cbjE"
	otherUUID = "0000000000000000000000000000000f"
)

// layers is a host with a device whose first partition is in a volume group with /dev/sdb and with a partition of /dev/sdc, whose
// second is encrypted, and whose third is in an array with /dev/sdd and exported as a loop device.
func layers(f *fake) *Device {
	d := f.attached(4, "lun")
	volume := func(n int, name, uuid string, slaves ...string) {
		dir := fmt.Sprintf("sys/block/dm-%d/", n)
		f.files(map[string]string{dir + "dev": fmt.Sprintf("253:%d\n", n), dir + "dm/name": name + "\n", dir + "dm/uuid": uuid + "\n"})
		for _, s := range slaves {
			f.files(map[string]string{dir + "slaves/" + s: "-> ../../" + s})
		}
	}
	volume(0, "my--group-data", "LVM-"+groupUUID+"VtuPNRjDoF2gmRZfMd8QkVBmUBMfTqE0", "nbd4p1", "sdb")
	volume(1, "my--group-pool_tdata", "LVM-"+groupUUID+"PRjDoF2gmRZfMd8QkVBmUBMfTqE00000-tdata", "nbd4p1")
	volume(2, "my--group-pool", "LVM-"+groupUUID+"PRjDoF2gmRZfMd8QkVBmUBMfTqE00000-pool", "dm-1")
	volume(3, "my--group-away", "LVM-"+groupUUID+"11111111111111111111111111111111", "sdc7") // not on the device at all
	volume(4, "secret", "CRYPT-LUKS2-0123-secret", "nbd4p2")
	volume(5, "other-data", "LVM-"+otherUUID+"22222222222222222222222222222222", "sde")
	f.files(map[string]string{
		"sys/block/nbd4/nbd4p1/partition":       "1\n",
		"sys/block/nbd4/nbd4p1/dev":             "43:33\n",
		"sys/block/nbd4/nbd4p1/holders/dm-0":    "-> x",
		"sys/block/nbd4/nbd4p1/holders/dm-1":    "-> x",
		"sys/block/nbd4/nbd4p2/partition":       "2\n",
		"sys/block/nbd4/nbd4p2/dev":             "43:34\n",
		"sys/block/nbd4/nbd4p2/holders/dm-4":    "-> x",
		"sys/block/nbd4/nbd4p3/partition":       "3\n",
		"sys/block/nbd4/nbd4p3/dev":             "43:35\n",
		"sys/block/nbd4/nbd4p3/holders/md127":   "-> x",
		"sys/block/nbd4/queue/rotational":       "0\n",
		"sys/block/dm-1/holders/dm-2":           "-> x",
		"sys/block/md127/dev":                   "9:127\n",
		"sys/block/md127/slaves/nbd4p3":         "-> x",
		"sys/block/md127/slaves/cciss!c0d0":     "-> x",
		"sys/block/loop0/loop/backing_file":     "/dev/nbd4p3\n",
		"sys/block/loop0/dev":                   "7:0\n",
		"sys/block/loop1/loop/backing_file":     "/root/image\n",
		"sys/block/bcache0/dev":                 "252:0\n",
		"sys/block/nbd4/nbd4p3/holders/bcache0": "-> x",
	})
	return d
}

func told(holders []Holder) []string {
	var all []string
	for _, h := range holders {
		all = append(all, h.String())
	}
	return all
}

func TestHoldersNobody(t *testing.T) {
	f := newFake(t)
	f.attached(4, "lun")
	if got := f.holders(4); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	if got := f.holders(5); len(got) != 0 {
		t.Errorf("of what does not exist: got %v", got)
	}
}

func TestHolders(t *testing.T) {
	f := newFake(t)
	layers(f)
	f.files(map[string]string{
		"proc/self/ns/mnt": "-> mnt:[1]",
		"proc/self/mountinfo": `22 1 253:9 / / rw shared:1 - ext4 /dev/vda1 rw
30 22 43:32 / /mnt/a\040blank rw,noatime shared:7 master:1 - ext4 /dev/nbd4 rw
31 22 43:32 /sub /mnt/bind rw - ext4 /dev/nbd4 rw
32 22 0:40 / /mnt/btrfs rw - btrfs /dev/mapper/secret rw,subvol=/
33 22 253:0 / /mnt/data rw - xfs /dev/mapper/my--group-data rw
34 22 43:320 / /mnt/nbd40 rw - xfs /dev/nbd40 rw
`,
		"proc/7/ns/mnt":    "-> mnt:[1]",
		"proc/7/mountinfo": "30 22 43:32 / /same rw - ext4 /dev/nbd4 rw\n",
		"proc/8/ns/mnt":    "-> mnt:[2]",
		"proc/8/mountinfo": "30 22 43:32 / /mnt/a\\040blank rw - ext4 /dev/nbd4 rw\n31 22 43:33 / /away rw - ext4 /dev/nbd4p1 rw\n",
		"proc/9/ns/mnt":    "-> mnt:[2]",
		"proc/9/mountinfo": "31 22 43:33 / /away2 rw - ext4 /dev/nbd4p1 rw\n",
		"proc/swaps": "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n" +
			"/dev/dm-2                               partition\t8\t0\t-2\n/dev/nbd40  partition 8 0 -3\n",
		"proc/100/comm":   "fio\n",
		"proc/100/fd/0":   "-> /dev/null",
		"proc/100/fd/3":   "-> /dev/nbd4",
		"proc/100/fd/4":   "-> /dev/nbd4",
		"proc/100/fd/5":   "-> /dev/nbd4p1 (deleted)",
		"proc/101/comm":   "other\n",
		"proc/101/fd/3":   "-> /dev/nbd40",
		"proc/101/fd/4":   "-> /home/x/dev/nbd4",
		"proc/42/comm":    "ourselves\n",
		"proc/42/fd/3":    "-> /dev/nbd4",
		"proc/20/comm":    "qemu\n",
		"proc/20/fd/3":    "-> /dev/mapper/my--group-data",
		"proc/notes/fd/3": "-> /dev/nbd4",
	})
	want := []string{
		"mounted at /mnt/a blank",
		"mounted at /mnt/bind",
		"secret mounted at /mnt/btrfs",
		"my--group-data mounted at /mnt/data",
		"nbd4p1 mounted at /away in the mount namespace of process 8",
		"my--group-pool used as swap",
		"my--group-data open by qemu (process 20)",
		"open by fio (process 100)",
		"nbd4p1 open by fio (process 100)",
		"volume group my-group (logical volumes my--group-data, my--group-pool_tdata, my--group-pool; also on /dev/sdb, /dev/sdc7)",
		"mapped as secret",
		"below bcache0",
		"array md127, also on /dev/cciss/c0d0",
		"below loop0",
	}
	if diff := cmp.Diff(want, told(f.holders(4))); diff != "" {
		t.Error(diff)
	}
}

func TestListIsShort(t *testing.T) {
	holders := make([]Holder, 20)
	for i := range holders {
		holders[i] = Holder{Kind: Process, Name: "sh", PID: i + 1, whole: true}
	}
	if got := list(holders[:2]); got != "open by sh (process 1), open by sh (process 2)" {
		t.Errorf("got %s", got)
	}
	if got := list(holders); len(got) > 250 || got[len(got)-12:] != " and 12 more" {
		t.Errorf("got %s", got)
	}
}

func TestGroupName(t *testing.T) {
	for name, want := range map[string]string{
		"vg-lv": "vg", "my--group-data": "my-group", "a----b-c--d": "a--b", "vg-lv-real": "vg", "none": "none", "": "", "-": "", "x--": "x-",
	} {
		if got := groupName(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

// TestStackThatGoesRound: sysfs has no such thing, but it changes while it is read.
func TestStackThatGoesRound(t *testing.T) {
	f := newFake(t)
	f.attached(4, "lun")
	f.files(map[string]string{
		"sys/block/nbd4/holders/dm-0": "-> x", "sys/block/dm-0/holders/dm-1": "-> x", "sys/block/dm-1/holders/dm-0": "-> x",
		"sys/block/dm-1/holders/nbd4": "-> x",
	})
	if got := len(f.stackOf(4)); got != 3 {
		t.Errorf("%d layers, want 3", got)
	}
}

func TestCheckUnused(t *testing.T) {
	f := newFake(t)
	d := f.attached(4, "lun")
	f.files(map[string]string{"dev/nbd4": ""})
	must(t, d.CheckUnused(patient(t)))

	f.files(map[string]string{"proc/99/comm": "(udev-worker)\n", "proc/99/fd/3": "-> /dev/nbd4"})
	wantError(t, d.CheckUnused(patient(t)), ErrBusy)
	f.settle = patience
	time.AfterFunc(20*time.Millisecond, func() { f.remove("proc/99") })
	must(t, d.CheckUnused(patient(t)))

	f.files(map[string]string{"proc/self/mountinfo": "30 22 43:32 / /mnt rw - ext4 /dev/nbd4 rw\n"})
	err := d.CheckUnused(patient(t))
	wantError(t, err, ErrBusy)
	wantText(t, err, "nbd: check /dev/nbd4: in use for lun: mounted at /mnt")
	f.remove("proc/self")

	f.remove("dev/nbd4")
	wantError(t, d.CheckUnused(patient(t)), os.ErrNotExist)
	must(t, unix.Mkfifo(f.path("dev/nbd4"), 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	wantError(t, d.CheckUnused(ctx), ErrStuck)
	w, err := os.OpenFile(f.path("dev/nbd4"), os.O_WRONLY, 0) // lets the one who waits go
	must(t, err)
	must(t, w.Close())
}
