package kernel

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestList(t *testing.T) {
	f := newFake(t)
	if got := f.list(); got != nil {
		t.Errorf("on a host without block devices: got %+v", got)
	}
	f.attached(10, "ten: with blanks")
	f.attached(2, "two")
	f.files(map[string]string{
		"sys/block/nbd2/ro":      "1\n",
		"sys/block/nbd2/size":    "8388608\n",
		"proc/77/status":         "Name:\tloop\nUmask:\t0022\nTgid:\t70\nPid:\t77\n",
		"sys/block/nbd3/size":    "0\n",  // free
		"sys/block/nbd4/pid":     "77\n", // by ioctl: without a backend
		"sys/block/nbd4/size":    "junk",
		"sys/block/nbdx/pid":     "5\n",
		"sys/block/nbd-1/pid":    "5\n",
		"sys/block/sda/pid":      "5\n",
		"sys/block/nbd5/backend": "no pid\n",
	})
	want := []Connected{
		{Index: 2, Size: 4 << 30, ReadOnly: true, Backend: "two"},
		{Index: 4, PID: 70},
		{Index: 10, Size: 1 << 20, Backend: "ten: with blanks"},
	}
	if diff := cmp.Diff(want, f.list()); diff != "" {
		t.Error(diff)
	}
}

func TestFind(t *testing.T) {
	f := newFake(t)
	f.attached(2, "two")
	f.attached(10, "ten")
	d, found, err := f.find(specFor("ten"))
	if err != nil || !found || d.Index() != 10 || d.Size() != 1<<20 {
		t.Errorf("got %+v, %v, %v", d, found, err)
	}
	if _, found, err := f.find(specFor("te")); found || err != nil {
		t.Errorf("what is not there: got %v, %v", found, err)
	}
	f.attached(11, "ten")
	_, _, err = f.find(specFor("ten"))
	wantText(t, err, "/dev/nbd10", "/dev/nbd11")
}
