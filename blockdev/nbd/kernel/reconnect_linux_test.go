package kernel

import (
	"context"
	"errors"
	"testing"

	"github.com/mdlayher/genetlink"
	"golang.org/x/sys/unix"
)

// TestReconnect: the kernel ignores a socket as long as the old one lives, and does not say so.
func TestReconnect(t *testing.T) {
	f := newFake(t)
	d := f.attached(4, "lun")
	tries := 0
	f.script(func(q request) ([]genetlink.Message, error) {
		if q.command != cmdReconfigure || q.flags&ack == 0 || string(q.attrs[attrBackend]) != "lun\x00" || q.attrs[attrIndex][0] != 4 {
			t.Errorf("got %+v", q)
		}
		if tries++; tries == 3 {
			keep(t, q.socket)
		}
		return nil, nil
	})
	before := openFiles(t)
	c, err := d.Reconnect(patient(t))
	must(t, err)
	if tries != 3 {
		t.Errorf("%d tries, want 3", tries)
	}
	_ = c.Close()
	if got := openFiles(t) - before; got != 1 { // the fake kernel's
		t.Errorf("%d descriptors more than before, want 1", got)
	}
}

func TestReconnectOfALivingDevice(t *testing.T) {
	f := newFake(t)
	d := f.attached(4, "lun")
	ctx, cancel := context.WithCancelCause(t.Context())
	tries, enough := 0, errors.New("enough")
	f.script(func(request) ([]genetlink.Message, error) {
		if tries++; tries == 3 {
			cancel(enough)
		}
		return nil, nil
	})
	before := openFiles(t)
	_, err := d.Reconnect(ctx)
	wantError(t, err, enough)
	wantText(t, err, "nbd: reconnect /dev/nbd4: ")
	f.closed(before)
}

func TestReconnectErrors(t *testing.T) {
	f := newFake(t)
	d := f.attached(4, "lun")
	f.script(func(request) ([]genetlink.Message, error) { return refuse(unix.EINVAL) })
	f.files(map[string]string{"proc/99/comm": "fio\n", "proc/99/fd/3": "-> /dev/nbd4"})
	_, err := d.Reconnect(patient(t))
	wantError(t, err, unix.EINVAL)
	wantError(t, err, ErrNotConnected)
	wantText(t, err, "(open by fio (process 99))", "kernel's log")

	f.files(map[string]string{"sys/block/nbd4/backend": "somebody else's\n"})
	_, err = d.Reconnect(patient(t))
	wantError(t, err, ErrNotOurs)
	wantText(t, err, "somebody else's")

	f.remove("sys/block/nbd4")
	_, err = d.Reconnect(patient(t))
	wantError(t, err, ErrNotConnected)
}
