//go:build vm

package kernel_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev/nbd/kernel"
)

// TestReconnect: the server dies with a write in its hands, and another one takes over.
func TestReconnect(t *testing.T) {
	spec := specOf(t, mib)
	d, r, c := attach(t, spec)
	f := open(t, d)
	out := aligned(t, 4096)
	copy(out, "written once, sent twice")

	r.holdBack()
	<-drained(r)
	wrote := make(chan error, 1)
	go func() { _, err := f.WriteAt(out, 4096); wrote <- err }()
	<-r.arrived
	_ = c.Close()
	r.forget()
	start := time.Now()

	d2, found, err := kernel.Find(spec)
	if err != nil || !found {
		t.Fatalf("Find: %v, %v", found, err)
	}
	c2, err := d2.Reconnect(deadline(t, patience))
	must(t, err)
	t.Logf("reconnected after %v", time.Since(start))
	go r.serve(c2)
	in := aligned(t, 4096)
	if _, err := f.ReadAt(in, 0); err != nil {
		t.Error(err)
	}
	t.Logf("a new request is answered after %v", time.Since(start))
	must(t, <-wrote)
	t.Logf("the request that was in flight is answered after %v; io_timeout is 3 s", time.Since(start))
	if _, err := f.ReadAt(in, 4096); err != nil || !slices.Equal(in, out) {
		t.Errorf("read %.30q, %v", in, err)
	}
	if got := sysfs(t, d, "queue/io_timeout"); got != "3000" {
		t.Errorf("io_timeout is %s after RECONFIGURE", got)
	}
}

func drained(r *ram) chan struct{} {
	select {
	case <-r.arrived:
	default:
	}
	done := make(chan struct{})
	close(done)
	return done
}

// TestReconnectWhileAlive: the kernel says nothing; we do, and the old connection goes on.
func TestReconnectWhileAlive(t *testing.T) {
	d, _, _ := attach(t, specOf(t, mib))
	_, err := d.Reconnect(deadline(t, time.Second))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a deadline exceeded", err)
	}
	t.Log(err)
	if _, err := open(t, d).ReadAt(aligned(t, 4096), 0); err != nil {
		t.Error(err)
	}
}

// TestDeadConnTimeout: nobody comes in time; I/O fails, and the device is still to be had.
func TestDeadConnTimeout(t *testing.T) {
	spec := specOf(t, mib)
	spec.DeadConnTimeout = 2 * time.Second
	d, r, c := attach(t, spec)
	f := open(t, d)
	_ = c.Close()
	start := time.Now()
	_, err := f.ReadAt(aligned(t, 4096), 0)
	if !errors.Is(err, syscall.EIO) {
		t.Errorf("got %v, want EIO", err)
	}
	t.Logf("a read failed after %v; dead_conn_timeout is 2 s", time.Since(start))
	c2, err := d.Reconnect(deadline(t, 5*time.Second))
	must(t, err)
	go r.serve(c2)
	if _, err := f.ReadAt(aligned(t, 4096), 0); err != nil {
		t.Errorf("after Reconnect: %v", err)
	}
}

// TestInFlightWithoutServer: what a server had in its hands when it died waits on, for Reconnect or Disconnect, whatever
// dead_conn_timeout says, which is for what comes later.
func TestInFlightWithoutServer(t *testing.T) {
	spec := specOf(t, mib)
	spec.DeadConnTimeout = time.Second
	d, r, c := attach(t, spec)
	f := open(t, d)
	r.holdBack()
	<-drained(r)
	read := make(chan error, 1)
	go func() { _, err := f.ReadAt(aligned(t, 4096), 0); read <- err }()
	<-r.arrived
	_ = c.Close()
	r.forget()
	start := time.Now()
	if _, err := f.ReadAt(aligned(t, 4096), 8192); !errors.Is(err, syscall.EIO) {
		t.Errorf("a later read: got %v, want EIO", err)
	}
	t.Logf("a later read failed after %v", time.Since(start))
	select {
	case err := <-read:
		t.Logf("the one in flight ended after %v: %v", time.Since(start), err)
		return
	case <-time.After(10 * time.Second):
		t.Log("the one in flight waits after 10 s still")
	}
	if err := d.Disconnect(deadline(t, patience)); err != nil && !errors.Is(err, kernel.ErrBusy) { // f is open
		t.Error(err)
	}
	t.Logf("the one in flight ended after Disconnect: %v", <-read)
	must(t, f.Close())
}

// TestReconnectUnderLoad: servers come and go, and nothing that was written is lost.
func TestReconnectUnderLoad(t *testing.T) {
	spec := specOf(t, 16*mib)
	d, r, c := attach(t, spec)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var slowest [4]time.Duration
	for w := range slowest {
		f, out, in := open(t, d), aligned(t, 64<<10), aligned(t, 64<<10)
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				off := int64(w)*4*mib + int64(i%32)*(64<<10)
				for j := range out {
					out[j] = byte(i + j>>9 + w)
				}
				start := time.Now()
				if _, err := f.WriteAt(out, off); err != nil {
					t.Error(err)
					return
				}
				if _, err := f.ReadAt(in, off); err != nil || !slices.Equal(in, out) {
					t.Errorf("read something else than was written, or %v", err)
					return
				}
				slowest[w] = max(slowest[w], time.Since(start))
			}
		})
	}
	goOn := func() {
		for start, n := time.Now(), r.count(cmdWrite)+100; r.count(cmdWrite) < n; time.Sleep(time.Millisecond) {
			if time.Since(start) > patience {
				t.Fatal("no progress")
			}
		}
	}
	for range 5 {
		goOn()
		_ = c.Close()
		var err error
		if c, err = d.Reconnect(deadline(t, patience)); err != nil {
			t.Fatal(err)
		}
		go r.serve(c)
	}
	goOn()
	close(stop)
	wg.Wait()
	t.Logf("the slowest write with its read took %v; %d writes", slices.Max(slowest[:]), r.count(cmdWrite))
}
