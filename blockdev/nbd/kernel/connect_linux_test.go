package kernel

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// TestConnect: the kernel has the other end of what is returned, with large buffers, and none of ours is left open.
func TestConnect(t *testing.T) {
	f := newFake(t)
	before := openFiles(t)
	var kernels *os.File
	f.script(func(q request) ([]genetlink.Message, error) {
		kernels = keep(t, q.socket)
		return connectedAs(5), nil
	})
	d, c, err := f.connect(patient(t), specFor("lun"))
	must(t, err)
	if d.Index() != 5 || d.Path() != "/dev/nbd5" {
		t.Errorf("got %s, number %d; want /dev/nbd5", d.Path(), d.Index())
	}
	if q := f.seen[0]; q.command != cmdConnect || q.flags != netlink.Request {
		t.Errorf("command %d, flags %v; want CONNECT and no acknowledgement", q.command, q.flags)
	}
	_, err = c.Write([]byte("to the kernel"))
	must(t, err)
	b := make([]byte, 100)
	if n, err := kernels.Read(b); string(b[:n]) != "to the kernel" {
		t.Errorf("the kernel got %q, %v", b[:n], err)
	}
	size, err := unix.GetsockoptInt(int(kernels.Fd()), unix.SOL_SOCKET, unix.SO_SNDBUF)
	if err != nil || size < 400<<10 {
		t.Errorf("the kernel's send buffer is %d, %v", size, err)
	}
	must(t, c.Close())
	if got := openFiles(t) - before; got != 1 { // the fake kernel's
		t.Errorf("%d descriptors more than before, want 1", got)
	}
}

func TestConnectWaitsForALook(t *testing.T) {
	f := newFake(t)
	f.settle = 3 * time.Second
	tries := 0
	f.script(func(q request) ([]genetlink.Message, error) {
		if tries++; tries < 3 {
			return refuse([]unix.Errno{unix.EBUSY, unix.EEXIST}[tries-1])
		}
		return connectedAs(2), nil
	})
	spec := specFor("lun")
	spec.Index = 2
	_, c, err := f.connect(patient(t), spec)
	must(t, err)
	_ = c.Close()
	if tries != 3 {
		t.Errorf("%d tries, want 3", tries)
	}
}

func TestConnectRefusesWhatIsInUse(t *testing.T) {
	f := newFake(t)
	f.attached(2, "another lun")
	f.files(map[string]string{"proc/77/status": "Name:\tqemu\nTgid:\t70\n"})
	f.script(func(request) ([]genetlink.Message, error) { return refuse(unix.EBUSY) })
	before := openFiles(t)
	spec := specFor("lun")
	spec.Index = 2
	_, _, err := f.connect(patient(t), spec)
	wantError(t, err, ErrBusy)
	wantText(t, err, "nbd: connect /dev/nbd2: in use for another lun")
	var busy *BusyError
	if !errors.As(err, &busy) || busy.Device != "/dev/nbd2" || busy.Backend != "another lun" {
		t.Errorf("got %+v", busy)
	}
	f.remove("sys/block/nbd2/backend") // as after an ioctl of qemu-nbd's
	_, _, err = f.connect(patient(t), spec)
	wantText(t, err, "nbd: connect /dev/nbd2: in use, connected by process 70")
	if got := openFiles(t); got != before {
		t.Errorf("%d descriptors, %d before", got, before)
	}
}

func TestConnectRefusesASecondDevice(t *testing.T) {
	f := newFake(t)
	f.attached(3, "lun")
	_, _, err := f.connect(patient(t), specFor("lun"))
	wantError(t, err, ErrBusy)
	wantText(t, err, "/dev/nbd3")
	if len(f.commands()) != 0 {
		t.Error("the kernel was asked all the same")
	}
}

func TestConnectErrors(t *testing.T) {
	for _, tt := range []struct {
		errno unix.Errno
		want  error
		text  string
	}{
		{unix.EPERM, os.ErrPermission, "CAP_SYS_ADMIN"},
		{unix.EINVAL, unix.EINVAL, "block size"},
		{unix.ENOMEM, unix.ENOMEM, "cannot allocate memory"},
	} {
		f := newFake(t)
		f.script(func(request) ([]genetlink.Message, error) { return refuse(tt.errno) })
		_, _, err := f.connect(patient(t), specFor("lun"))
		wantError(t, err, tt.want)
		wantText(t, err, "nbd: connect: ", tt.text)
	}
}

// TestConnectThatIsAbandoned: who waits is let go, and what comes of it later is undone.
func TestConnectThatIsAbandoned(t *testing.T) {
	f := newFake(t)
	before := openFiles(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	impatient := errors.New("no more patience")
	goOn, undone := make(chan struct{}), make(chan uint8, 1)
	f.script(func(q request) ([]genetlink.Message, error) {
		if q.command != cmdConnect {
			undone <- q.attrs[attrIndex][0]
			return nil, nil
		}
		if !unixSocket(q.socket) {
			t.Errorf("descriptor %d is no socket", q.socket)
		}
		cancel(impatient)
		<-goOn
		if !unixSocket(q.socket) {
			t.Error("the kernel's end was closed while the kernel was at it")
		}
		return connectedAs(6), nil
	})
	_, _, err := f.connect(ctx, specFor("lun"))
	wantError(t, err, ErrStuck)
	wantError(t, err, impatient)
	close(goOn)
	if index := <-undone; index != 6 {
		t.Errorf("device %d was disconnected, want 6", index)
	}
	f.closed(before)
}

func unixSocket(fd int) bool {
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	return err == nil && domain == unix.AF_UNIX
}

func TestSpec(t *testing.T) {
	f := newFake(t)
	for _, change := range []func(*Spec){
		func(s *Spec) { s.Index = -2 },
		func(s *Spec) { s.BlockSize = 0 },
		func(s *Spec) { s.BlockSize = 256 },
		func(s *Spec) { s.BlockSize = 1000 },
		func(s *Spec) { s.Size = 0 },
		func(s *Spec) { s.Size = 1000 },
		func(s *Spec) { s.Size = 1 << 63 },
		func(s *Spec) { s.DeadConnTimeout = -1 },
		func(s *Spec) { s.MaxRequest = -1 },
		func(s *Spec) { s.SendBuffer = -1 },
		func(s *Spec) { s.Backend = "" },
		func(s *Spec) { s.Backend = "two\nlines" },
		func(s *Spec) { s.Backend = "blank " },
		func(s *Spec) { s.Backend = "nul\x00" },
		func(s *Spec) { s.Backend = "latin 1: \xe4" },
		func(s *Spec) { s.Backend = string(make([]byte, 1025)) },
	} {
		spec := specFor("lun")
		change(&spec)
		if _, c, err := f.connect(patient(t), spec); err == nil {
			_ = c.Close()
			t.Errorf("accepted: %+v", spec)
		}
	}
	if len(f.commands()) != 0 {
		t.Error("the kernel was asked")
	}
}
