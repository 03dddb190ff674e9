//go:build vm

package kernel_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev/nbd/kernel"
	"golang.org/x/sys/unix"
)

func TestDisconnectWhileOpen(t *testing.T) {
	spec := specOf(t, mib)
	d, r, _ := attach(t, spec)
	sleep := holdOpen(t, d.Path())
	err := d.Disconnect(deadline(t, patience))
	if !errors.Is(err, kernel.ErrBusy) || !strings.Contains(err.Error(), "open by sleep") {
		t.Errorf("got %v, want a BusyError", err)
	}
	t.Log(err)
	c, err := d.Reconnect(deadline(t, 2*time.Second))
	if !errors.Is(err, kernel.ErrNotConnected) {
		t.Errorf("Reconnect after Disconnect: got %v, want %v", err, kernel.ErrNotConnected)
	}
	if err == nil {
		go r.serve(c)
	}
	t.Log(err)
	must(t, sleep.Process.Kill())
	_ = sleep.Wait()
}

func TestResize(t *testing.T) {
	spec := specOf(t, 16*mib)
	d, r, _ := attach(t, spec)
	f := open(t, d)
	r.mu.Lock()
	r.data = append(r.data, make([]byte, 16*mib)...)
	r.mu.Unlock()
	must(t, d.Resize(deadline(t, patience), 32*mib))
	if got := bytesOf(t, f); got != 32*mib || d.Size() != got {
		t.Errorf("the size is %d, and %d in sysfs; want %d", got, d.Size(), 32*mib)
	}
	_, err := f.WriteAt(aligned(t, 4096), 32*mib-4096)
	must(t, err)
	must(t, f.Close())

	sleep := holdOpen(t, d.Path())
	err = d.Resize(deadline(t, patience), 16*mib)
	if !errors.Is(err, kernel.ErrBusy) {
		t.Errorf("shrinking while open: got %v, want a BusyError", err)
	}
	t.Log(err)
	must(t, sleep.Process.Kill())
	_ = sleep.Wait()
	must(t, d.Resize(deadline(t, patience), 16*mib))
	if got := d.Size(); got != 16*mib {
		t.Errorf("the size is %d, want %d", got, 16*mib)
	}
}

// TestResizeWhileHeld shows what the warning is about: it waits for I/O, and others wait for it.
func TestResizeWhileHeld(t *testing.T) {
	d, r, _ := attach(t, specOf(t, 16*mib))
	other := specOf(t, mib)
	other.Backend = "a bystander"
	f := open(t, d)
	r.holdBack()
	<-drained(r)
	read := make(chan error, 1)
	go func() { _, err := f.ReadAt(aligned(t, 4096), 0); read <- err }()
	<-r.arrived
	if err := d.Resize(deadline(t, time.Second), 8*mib+8*mib+mib); !errors.Is(err, kernel.ErrStuck) {
		t.Errorf("got %v, want a StuckError", err)
	}
	_, c, err := kernel.Connect(deadline(t, time.Second), other)
	t.Logf("another Connect meanwhile: %v", err)
	if err == nil {
		_ = c.Close()
	}
	r.release()
	must(t, <-read)
	for start := time.Now(); d.Size() != 17*mib; time.Sleep(10 * time.Millisecond) {
		if time.Since(start) > patience {
			t.Fatal("the resize was never carried out")
		}
	}
	// What Connect was let go from may have made a device, which is cleared away.
	for start := time.Now(); len(kernel.List()) > 1; time.Sleep(10 * time.Millisecond) {
		if time.Since(start) > patience {
			t.Fatalf("left: %+v", kernel.List())
		}
	}
}

// TestTuneWhileHeld: settings that are right are left alone; the others wait for I/O in flight.
func TestTuneWhileHeld(t *testing.T) {
	d, r, _ := attach(t, specOf(t, mib))
	f := open(t, d)
	r.holdBack()
	<-drained(r)
	read := make(chan error, 1)
	go func() { _, err := f.ReadAt(aligned(t, 4096), 0); read <- err }()
	<-r.arrived
	if w := d.Tune(deadline(t, time.Second)); len(w) != 0 {
		t.Errorf("with nothing to do: %v", w)
	}
	r.release()
	must(t, <-read)

	queue := filepath.Join("/sys/block", filepath.Base(d.Path()), "queue")
	must(t, os.WriteFile(filepath.Join(queue, "scheduler"), []byte("mq-deadline"), 0))
	must(t, os.WriteFile(filepath.Join(queue, "io_timeout"), []byte("30000"), 0))
	must(t, os.WriteFile(filepath.Join(queue, "max_sectors_kb"), []byte("128"), 0))
	r.holdBack()
	<-drained(r)
	go func() { _, err := f.ReadAt(aligned(t, 4096), 0); read <- err }()
	<-r.arrived
	for _, w := range d.Tune(deadline(t, time.Second)) {
		t.Log(w)
		if !errors.Is(w.Err, kernel.ErrStuck) && !errors.Is(w.Err, context.DeadlineExceeded) {
			t.Errorf("got %v, want that the kernel has not answered", w.Err)
		}
	}
	r.release()
	must(t, <-read)
	if w := d.Tune(deadline(t, patience)); len(w) != 0 {
		t.Error(w)
	}
	if got := sysfs(t, d, "queue/scheduler") + sysfs(t, d, "queue/io_timeout"); got != "[none] mq-deadline3000" {
		t.Errorf("got %s", got)
	}
}

// TestDisconnectOfOneThatIsNotRead: it waits for room in the socket, until the server's end is closed.
func TestDisconnectOfOneThatIsNotRead(t *testing.T) {
	spec := specOf(t, 64*mib)
	spec.SendBuffer = 64 << 10
	d, r, c := attach(t, spec)
	f := open(t, d)
	<-drained(r)
	stalled := r.stall()
	wrote := make(chan error, 1)
	go func() { _, err := f.WriteAt(aligned(t, 32*mib), 0); wrote <- err }()
	<-r.arrived
	for start := time.Now(); unread(t, c) < 16<<10; time.Sleep(time.Millisecond) { // a WRITE that will not fit
		if time.Since(start) > patience {
			t.Fatal("the kernel does not send")
		}
	}
	if err := d.Disconnect(deadline(t, time.Second)); !errors.Is(err, kernel.ErrStuck) {
		t.Errorf("got %v, want a StuckError", err)
	}
	_ = c.Close()
	close(stalled)
	if err := <-wrote; err == nil {
		t.Error("a write that nobody carried out succeeded")
	} else {
		t.Log(err)
	}
}

// unread is how much the kernel has sent that the server has not read.
func unread(t *testing.T, c net.Conn) (n int) {
	raw, err := c.(*net.UnixConn).SyscallConn()
	must(t, err)
	must(t, raw.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.SIOCINQ) }))
	must(t, err)
	return n
}
