package kernel

import (
	"testing"

	"github.com/mdlayher/genetlink"
	"golang.org/x/sys/unix"
)

func TestDisconnect(t *testing.T) {
	f := newFake(t)
	d := f.attached(4, "lun")
	f.script(func(q request) ([]genetlink.Message, error) {
		if q.command != cmdDisconnect || q.flags&ack == 0 || q.attrs[attrIndex][0] != 4 {
			t.Errorf("got %+v", q)
		}
		f.remove("sys/block/nbd4/pid")
		return nil, nil
	})
	must(t, d.Disconnect(patient(t)))
	must(t, d.Disconnect(patient(t))) // it is gone
	if got := f.commands(); len(got) != 1 {
		t.Errorf("%d messages, want 1", len(got))
	}
}

func TestDisconnectWhileOpen(t *testing.T) {
	f := newFake(t)
	d := f.attached(4, "lun")
	f.files(map[string]string{"proc/99/comm": "fio\n", "proc/99/fd/3": "-> /dev/nbd4"})
	err := d.Disconnect(patient(t))
	wantError(t, err, ErrBusy)
	wantText(t, err, "nbd: disconnect /dev/nbd4: in use for lun: open by fio (process 99)")
}

func TestDisconnectOfAnothers(t *testing.T) {
	f := newFake(t)
	d := f.attached(4, "lun")
	f.files(map[string]string{"sys/block/nbd4/backend": "somebody else's\n"})
	wantError(t, d.Disconnect(patient(t)), ErrNotOurs)
	if got := f.commands(); len(got) != 0 {
		t.Errorf("messages %v, want none", got)
	}
}

func TestResize(t *testing.T) {
	f := newFake(t)
	d := f.attached(4, "lun") // 1 MiB
	must(t, d.Resize(patient(t), 2<<20))
	if got := d.Resize(patient(t), 1000); got == nil {
		t.Error("half a block was accepted")
	}
	f.files(map[string]string{"proc/99/comm": "fio\n", "proc/99/fd/3": "-> /dev/nbd4"})
	must(t, d.Resize(patient(t), 3<<20))
	err := d.Resize(patient(t), 512<<10)
	wantError(t, err, ErrBusy)
	wantText(t, err, "would shrink, from 1048576 bytes to 524288", "fio")
	if got := f.commands(); len(got) != 2 {
		t.Errorf("%d messages, want 2", len(got))
	}
	f.remove("proc/99")
	f.files(map[string]string{"dev/nbd4": ""})
	must(t, d.Resize(patient(t), 512<<10))

	f.script(func(request) ([]genetlink.Message, error) { return refuse(unix.EINVAL) })
	wantError(t, d.Resize(patient(t), 2<<20), unix.EINVAL)
	f.remove("sys/block/nbd4")
	wantError(t, d.Resize(patient(t), 2<<20), ErrNotConnected)
}
