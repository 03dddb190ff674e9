package kernel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

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
	for _, tt := range []struct {
		hw   uint64
		most int
		want string
	}{
		{32768, 0, "32768"},
		{32768, 64 << 20, "32768"},
		{32768, 1 << 20, "1024"},
		{512, 1 << 20, "512"},
		{0, 1 << 20, "1024"},
		{0, 0, "32768"},
	} {
		d := &Device{spec: Spec{MaxRequest: tt.most}}
		if got := d.maxSectors(tt.hw); got != tt.want {
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

// TestTuneGivesUp: an attribute that cannot be read holds nobody up, and all are in doubt.
func TestTuneGivesUp(t *testing.T) {
	f := newFake(t)
	d := f.attached(4, "lun")
	f.files(map[string]string{"sys/block/nbd4/queue/": ""})
	stuck := f.path("sys/block/nbd4/queue/scheduler")
	must(t, syscall.Mkfifo(stuck, 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if w := d.Tune(ctx); len(w) != 4 || !errors.Is(w[0], context.DeadlineExceeded) {
		t.Errorf("got %v, want 4 warnings", w)
	}
	w, err := os.OpenFile(stuck, os.O_WRONLY, 0) // lets the one who waits go
	must(t, err)
	must(t, w.Close())
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
