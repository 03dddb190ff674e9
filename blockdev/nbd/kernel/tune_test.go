package kernel

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func queueOf(f *fake, d *Device) map[string]string {
	got := map[string]string{}
	for _, name := range f.names("sys/block", d.name(), "queue") {
		got[name], _ = f.text("sys/block", d.name(), "queue", name)
	}
	return got
}

func TestTune(t *testing.T) {
	f := newFake(t)
	d := f.attached(4, "lun")
	d.spec.MaxRequest, d.spec.Rotational = 4<<20, true
	f.files(map[string]string{
		"sys/block/nbd4/queue/io_timeout":         "30000\n",
		"sys/block/nbd4/queue/scheduler":          "none [mq-deadline] \n",
		"sys/block/nbd4/queue/max_sectors_kb":     "1280\n",
		"sys/block/nbd4/queue/max_hw_sectors_kb":  "32768\n",
		"sys/block/nbd4/queue/rotational":         "0\n",
		"sys/block/nbd4/queue/read_ahead_kb":      "128\n",
		"sys/block/nbd4/queue/logical_block_size": "512\n",
	})
	if w := d.Tune(patient(t)); len(w) != 0 {
		t.Error(w)
	}
	want := map[string]string{
		"io_timeout": "3000", "scheduler": "none", "max_sectors_kb": "4096", "max_hw_sectors_kb": "32768", "rotational": "1",
		"read_ahead_kb": "128", "logical_block_size": "512",
	}
	if diff := cmp.Diff(want, queueOf(f, d)); diff != "" {
		t.Error(diff)
	}
}

func TestMaxSectors(t *testing.T) {
	f := newFake(t)
	d := f.attached(4, "lun")
	for _, tt := range []struct {
		hw   string
		most int
		want string
	}{
		{"32768\n", 0, "32768"},
		{"32768\n", 64 << 20, "32768"},
		{"32768\n", 1 << 20, "1024"},
		{"512\n", 1 << 20, "512"},
		{"", 1 << 20, "1024"},
		{"", 0, "32768"},
	} {
		f.files(map[string]string{"sys/block/nbd4/queue/max_hw_sectors_kb": tt.hw})
		d.spec.MaxRequest = tt.most
		if got := d.maxSectors(); got != tt.want {
			t.Errorf("%+v: got %s", tt, got)
		}
	}
}

// TestTuneLeavesAlone: what is right is not written, as a write waits for I/O.
func TestTuneLeavesAlone(t *testing.T) {
	f := newFake(t)
	d := f.attached(4, "lun")
	f.files(map[string]string{
		"sys/block/nbd4/queue/io_timeout":     "3000\n",
		"sys/block/nbd4/queue/scheduler":      "[none] mq-deadline\n",
		"sys/block/nbd4/queue/max_sectors_kb": "32768\n",
		"sys/block/nbd4/queue/rotational":     "0\n",
	})
	before := queueOf(f, d)
	if w := d.Tune(patient(t)); len(w) != 0 {
		t.Error(w)
	}
	if diff := cmp.Diff(before, queueOf(f, d)); diff != "" {
		t.Error(diff)
	}
}

func TestTuneWarns(t *testing.T) {
	f := newFake(t)
	d := f.attached(4, "lun")
	f.files(map[string]string{
		"sys/block/nbd4/queue/max_sectors_kb": "1280\n",
		"sys/block/nbd4/queue/scheduler/":     "", // not to be written
	})
	var got []string
	for _, w := range d.Tune(patient(t)) {
		wantText(t, w, "nbd: tune /dev/nbd4: "+w.Attribute+" is not "+w.Value+": ", w.Why)
		got = append(got, fmt.Sprint(w.Attribute, " ", w.Severe))
	}
	want := []string{"queue/io_timeout true", "queue/scheduler false", "queue/rotational false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
