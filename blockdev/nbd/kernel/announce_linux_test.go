package kernel

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"
)

const link = "/dev/hawser/vol"

// announced is a device that udev has been told of.
func announced(t *testing.T, settle func(f *fake, ctx context.Context) error) (*fake, *Device) {
	f := newFake(t)
	d := f.attached(4, "lun")
	f.files(map[string]string{"sys/block/nbd4/uevent": "MAJOR=43\n", "run/udev/control": "", "dev/nbd4": "", "dev/nbd5": ""})
	f.settleUdev = func(ctx context.Context) error {
		if got, _ := f.text("sys/block/nbd4/uevent"); got != "change" {
			t.Errorf("waits for udev after %q", got)
		}
		return settle(f, ctx)
	}
	return f, d
}

// TestAnnounce: udev makes the link, in place of a device's that is gone, and has more to do for others.
func TestAnnounce(t *testing.T) {
	f, d := announced(t, func(f *fake, ctx context.Context) error {
		time.Sleep(10 * time.Millisecond)
		must(t, os.Symlink("../nbd4", f.path("dev/hawser/new")))
		must(t, os.Rename(f.path("dev/hawser/new"), f.path(link)))
		<-ctx.Done()
		return context.Cause(ctx)
	})
	f.files(map[string]string{link: "-> ../nbd5"})
	must(t, d.Announce(patient(t), link))
	if !d.leads(link) {
		t.Error("it returns before the link is there")
	}
}

// TestAnnounceWithoutRule: udev makes no such link, and none is waited for.
func TestAnnounceWithoutRule(t *testing.T) {
	_, d := announced(t, func(*fake, context.Context) error { return nil })
	must(t, d.Announce(patient(t), link))
}

func TestAnnounceWithoutUdev(t *testing.T) {
	f := newFake(t)
	d := f.attached(4, "lun")
	f.files(map[string]string{"sys/block/nbd4/uevent": ""})
	must(t, d.Announce(patient(t), link))
	if got, _ := f.text("sys/block/nbd4/uevent"); got != "change" {
		t.Errorf("got %q, want that the host's udev is told", got)
	}
}

func TestAnnounceFails(t *testing.T) {
	broken := errors.New("udevadm is broken")
	_, d := announced(t, func(*fake, context.Context) error { return broken })
	err := d.Announce(patient(t), link)
	wantError(t, err, broken)
	wantText(t, err, "nbd: announce /dev/nbd4: ", link, "journalctl")

	_, d = announced(t, func(_ *fake, ctx context.Context) error {
		<-ctx.Done()
		return context.Cause(ctx)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	wantError(t, d.Announce(ctx, link), context.DeadlineExceeded)
}
