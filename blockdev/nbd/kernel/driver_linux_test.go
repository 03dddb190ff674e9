//go:build vm

// These tests are for a machine that has the driver and may lose everything: root in the VM of scripts/vm.
//
//	go test -tags vm -c -o /tmp/kernel.test ./blockdev/nbd/kernel
//	go run ./scripts/vm/cmd/vm -- /tmp/kernel.test -test.v
package kernel_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/hawser-storage/hawser/blockdev/nbd/kernel"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// patience caps every wait: it is not measured against.
const patience = 2 * time.Minute

const mib = 1 << 20

func TestMain(m *testing.M) {
	if os.Getenv("KERNEL_TEST_CHILD") != "" {
		child()
	}
	if os.Getuid() != 0 {
		fmt.Println("these tests are for root in the VM of scripts/vm")
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// child connects in other circumstances, and says what came of it.
func child() {
	d, c, err := kernel.Connect(context.Background(), kernel.Spec{Index: kernel.AnyIndex, Size: mib, BlockSize: 512, Backend: "child"})
	if err == nil {
		_ = c.Close()
		err = d.Disconnect(context.Background())
	}
	fmt.Println(errors.Is(err, kernel.ErrNoDriver), errors.Is(err, os.ErrPermission), err)
	os.Exit(0)
}

func deadline(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func specOf(t *testing.T, size uint64) kernel.Spec {
	return kernel.Spec{
		Index: kernel.AnyIndex, Size: size, BlockSize: 512, Flags: allFlags, Backend: "test " + t.Name(),
		DeadConnTimeout: 30 * time.Second, MaxRequest: 4 * mib,
	}
}

// attach connects a disk and serves it. At the end of the test nothing of it may be left.
func attach(t *testing.T, spec kernel.Spec) (*kernel.Device, *ram, net.Conn) {
	t.Helper()
	r := newRAM(int(spec.Size))
	d, c, err := kernel.Connect(deadline(t, patience), spec)
	must(t, err)
	go r.serve(c)
	t.Cleanup(func() {
		must(t, d.Disconnect(deadline(t, patience)))
		_ = c.Close()
		for _, c := range kernel.List() {
			if c.Index == d.Index() {
				t.Errorf("%s is left: %+v", d.Path(), c)
			}
		}
	})
	for _, w := range d.Tune(deadline(t, patience)) {
		t.Error(w)
	}
	must(t, d.Answers(deadline(t, patience)))
	return d, r, c
}

func sysfs(t *testing.T, d *kernel.Device, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("/sys/block", filepath.Base(d.Path()), name))
	must(t, err)
	return strings.TrimSpace(string(b))
}

// open opens a device for direct I/O.
func open(t *testing.T, d *kernel.Device) *os.File {
	t.Helper()
	f, err := os.OpenFile(d.Path(), os.O_RDWR|syscall.O_DIRECT, 0)
	must(t, err)
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// aligned is memory for direct I/O.
func aligned(t *testing.T, n int) []byte {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	must(t, err)
	t.Cleanup(func() { _ = unix.Munmap(b) })
	return b
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(deadline(t, patience), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func bytesOf(t *testing.T, f *os.File) (n uint64) {
	t.Helper()
	if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), unix.BLKGETSIZE64, uintptr(unsafe.Pointer(&n))); e != 0 {
		t.Fatal(e)
	}
	return n
}

// TestLoad comes first in the VM: nothing has loaded the module.
func TestLoad(t *testing.T) {
	if _, err := os.Stat("/sys/module/nbd"); err == nil {
		run(t, "modprobe", "-r", "nbd")
	}
	d, _, _ := attach(t, specOf(t, mib))
	t.Log(d.Path())
}

func TestReadAndWrite(t *testing.T) {
	for _, bs := range []uint32{512, 4096} {
		t.Run(fmt.Sprint(bs), func(t *testing.T) {
			spec := specOf(t, 64*mib)
			spec.BlockSize = bs
			d, r, _ := attach(t, spec)
			for name, want := range map[string]string{
				"queue/io_timeout": "3000", "queue/scheduler": "[none] mq-deadline", "queue/max_sectors_kb": "4096", "queue/rotational": "0",
				"queue/write_cache": "write back", "queue/fua": "1", "queue/logical_block_size": fmt.Sprint(bs), "size": fmt.Sprint(64 * mib / 512),
				"backend": spec.Backend, "ro": "0",
			} {
				if got := sysfs(t, d, name); got != want {
					t.Errorf("%s: got %q, want %q", name, got, want)
				}
			}
			f := open(t, d)
			out, in := aligned(t, 4*mib), aligned(t, 4*mib)
			for i := range out {
				out[i] = byte(i*7 + i>>12)
			}
			_, err := f.WriteAt(out, 8*mib)
			must(t, err)
			must(t, f.Sync())
			_, err = f.ReadAt(in, 8*mib)
			must(t, err)
			if !slices.Equal(in, out) {
				t.Error("read something else than was written")
			}
			if r.count(cmdFlush) == 0 {
				t.Error("fsync did not come through as a FLUSH")
			}
			if n := r.count(cmdWrite); n != 1 {
				t.Errorf("4 MiB came in %d WRITEs, want 1", n)
			}
		})
	}
}

func TestReadOnly(t *testing.T) {
	spec := specOf(t, mib)
	spec.Flags |= readOnly
	spec.Rotational = true
	d, _, _ := attach(t, spec)
	if got := sysfs(t, d, "ro") + sysfs(t, d, "queue/rotational"); got != "11" {
		t.Errorf("ro and rotational are %s, want 11", got)
	}
	if _, err := open(t, d).WriteAt(aligned(t, 4096), 0); !errors.Is(err, os.ErrPermission) {
		t.Errorf("a write: got %v, want a permission error", err)
	}
}

func TestListAndFind(t *testing.T) {
	spec := specOf(t, 2*mib)
	d, _, _ := attach(t, spec)
	want := kernel.Connected{Index: d.Index(), Size: 2 * mib, Backend: spec.Backend, PID: os.Getpid()}
	if got := kernel.List(); len(got) != 1 || got[0] != want {
		t.Errorf("List: got %+v, want %+v", got, want)
	}
	got, found, err := kernel.Find(spec)
	if err != nil || !found || got.Path() != d.Path() {
		t.Errorf("Find: got %v, %v, %v", got, found, err)
	}
	spec.Backend = "another"
	if _, found, err := kernel.Find(spec); found || err != nil {
		t.Errorf("Find of another: got %v, %v", found, err)
	}
}

func TestInUse(t *testing.T) {
	d, _, _ := attach(t, specOf(t, mib))
	refused := func(spec kernel.Spec, want ...string) {
		t.Helper()
		_, c, err := kernel.Connect(deadline(t, patience), spec)
		if err == nil {
			_ = c.Close()
		}
		var busy *kernel.BusyError
		if !errors.Is(err, kernel.ErrBusy) || !errors.As(err, &busy) {
			t.Fatalf("got %v, want a BusyError", err)
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q does not say %q", err, w)
			}
		}
		t.Log(err)
	}
	other := specOf(t, mib)
	other.Index, other.Backend = d.Index(), "another"
	refused(other, d.Path(), "test TestInUse", fmt.Sprint(os.Getpid()))
	refused(specOf(t, mib), d.Path(), "test TestInUse") // the same backend again

	other.Index = 9
	sleep := holdOpen(t, "/dev/nbd9")
	refused(other, "/dev/nbd9", fmt.Sprintf("open by sleep (process %d)", sleep.Process.Pid))
	must(t, sleep.Process.Kill())
	_ = sleep.Wait()
	d9, _, _ := attach(t, other)
	if d9.Index() != 9 {
		t.Errorf("got %s, want /dev/nbd9", d9.Path())
	}
	other.Index, other.Backend = 100, "a new device"
	if d, _, _ := attach(t, other); d.Index() != 100 {
		t.Errorf("got %s, want /dev/nbd100", d.Path())
	}
}

// holdOpen has another process hold a file open.
func holdOpen(t *testing.T, path string) *exec.Cmd {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	defer func() { _ = f.Close() }()
	cmd := exec.Command("sleep", "1000")
	cmd.Stdin = f
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd
}

// TestOpenForAMoment: a chosen device that is only looked at is waited for.
func TestOpenForAMoment(t *testing.T) {
	f, err := os.Open("/dev/nbd7")
	must(t, err)
	time.AfterFunc(300*time.Millisecond, func() { _ = f.Close() })
	spec := specOf(t, mib)
	spec.Index = 7
	attach(t, spec)
}

func TestAutoInParallel(t *testing.T) {
	const devices = 24 // more than the module makes to begin with
	var wg sync.WaitGroup
	for range 2 {
		got := make([]*kernel.Device, devices)
		for i := range got {
			wg.Go(func() {
				spec := specOf(t, mib)
				spec.Backend = fmt.Sprint("parallel ", i)
				r := newRAM(mib)
				d, c, err := kernel.Connect(deadline(t, patience), spec)
				if err != nil {
					t.Error(err)
					return
				}
				go r.serve(c)
				got[i] = d
				for _, w := range d.Tune(deadline(t, patience)) {
					t.Error(w)
				}
				if err := d.Answers(deadline(t, patience)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		seen := map[string]bool{}
		for _, d := range got {
			if d == nil || seen[d.Path()] {
				t.Fatalf("%v is given twice, or missing", d)
			}
			seen[d.Path()] = true
		}
		for _, d := range got {
			wg.Go(func() {
				if err := d.Disconnect(deadline(t, patience)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if left := kernel.List(); len(left) != 0 {
			t.Errorf("left: %+v", left)
		}
	}
}

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

func TestRefusedByTheDriver(t *testing.T) {
	spec := specOf(t, 64*mib)
	spec.BlockSize = 64 << 10
	_, c, err := kernel.Connect(deadline(t, patience), spec)
	if err == nil {
		_ = c.Close()
		t.Skip("this kernel takes blocks of 64 KiB")
	}
	if !errors.Is(err, syscall.EINVAL) || !strings.Contains(err.Error(), "block size") {
		t.Errorf("got %v", err)
	}
	t.Log(err)
}

func TestHolders(t *testing.T) {
	spec := specOf(t, 64*mib)
	d, _, _ := attach(t, spec)
	name := filepath.Base(d.Path())
	expect := func(what string, want ...string) {
		t.Helper()
		var got []string
		for _, h := range holders(d) {
			got = append(got, h.String())
		}
		t.Logf("%s: %q", what, got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
		err := d.CheckUnused(deadline(t, patience))
		if (err == nil) != (len(want) == 0) {
			t.Errorf("%s: CheckUnused: %v", what, err)
		}
	}
	expect("nobody")

	sleep := holdOpen(t, d.Path())
	expect("a process", fmt.Sprintf("open by sleep (process %d)", sleep.Process.Pid))
	must(t, sleep.Process.Kill())
	_ = sleep.Wait()

	point := filepath.Join(t.TempDir(), "a mount point")
	must(t, os.Mkdir(point, 0o700))
	run(t, "mkfs.ext4", "-q", d.Path())
	run(t, "mount", d.Path(), point)
	expect("ext4", "mounted at "+point)
	run(t, "umount", point)
	expect("after umount")

	// A mount that only another namespace has.
	away := exec.Command("unshare", "-m", "sh", "-c", `mount "$0" "$1" && echo ready && exec sleep 1000`, d.Path(), point)
	said, err := away.StdoutPipe()
	must(t, err)
	must(t, away.Start())
	_, err = said.Read(make([]byte, 5))
	must(t, err)
	expect("another namespace", fmt.Sprintf("mounted at %s in the mount namespace of process %d", point, away.Process.Pid))
	must(t, away.Process.Kill())
	_ = away.Wait()
	eventuallyUnused(t, d)

	run(t, "mkswap", d.Path())
	run(t, "swapon", d.Path())
	expect("swap", "used as swap")
	run(t, "swapoff", d.Path())

	run(t, "sh", "-c", "echo ,32M | sfdisk --wipe always "+d.Path())
	run(t, "mkfs.ext4", "-q", "-F", d.Path()+"p1")
	run(t, "mount", d.Path()+"p1", point)
	expect("a partition", name+"p1 mounted at "+point)
	run(t, "umount", point)

	run(t, "modprobe", "loop")
	loop := strings.TrimSpace(run(t, "losetup", "-f", "--show", d.Path()+"p1"))
	expect("a loop device", "below "+filepath.Base(loop))
	run(t, "losetup", "-d", loop)
	expect("after losetup -d")
}

// holders leaves out udev, where there is one: it has a look now and then.
func holders(d *kernel.Device) []kernel.Holder {
	return slices.DeleteFunc(kernel.Holders(d.Index()), func(h kernel.Holder) bool { return strings.Contains(h.Name, "udev") })
}

func eventuallyUnused(t *testing.T, d *kernel.Device) {
	t.Helper()
	var err error
	for start := time.Now(); time.Since(start) < patience; time.Sleep(20 * time.Millisecond) {
		if err = d.CheckUnused(deadline(t, patience)); err == nil {
			return
		}
	}
	t.Fatal(err)
}

func TestHoldersVolumeGroup(t *testing.T) {
	spec := specOf(t, 64*mib)
	d, _, _ := attach(t, spec)
	spec.Backend = "the foreign one"
	e, _, _ := attach(t, spec)
	run(t, "modprobe", "dm-mod")
	config := []string{"--config", `devices{filter=["a|/dev/nbd.*|","r|.*|"] use_devicesfile=0} activation{udev_sync=0 udev_rules=0} global{event_activation=0}`}
	lvm := func(args ...string) { t.Helper(); run(t, "lvm", append(args, config...)...) }
	lvm("pvcreate", "-q", d.Path(), e.Path())
	lvm("vgcreate", "-q", "my-group", d.Path(), e.Path())
	lvm("lvcreate", "-q", "-y", "-n", "data", "-L", "80M", "my-group")
	point := t.TempDir()
	run(t, "mkfs.ext4", "-q", "/dev/mapper/my--group-data")
	run(t, "mount", "/dev/mapper/my--group-data", point)
	var got []string
	for _, h := range holders(d) {
		got = append(got, h.String())
	}
	want := []string{
		"my--group-data mounted at " + point,
		fmt.Sprintf("volume group my-group (logical volume my--group-data; also on %s)", e.Path()),
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := d.CheckUnused(deadline(t, patience)); !errors.Is(err, kernel.ErrBusy) {
		t.Errorf("got %v, want a BusyError", err)
	} else {
		t.Log(err)
	}
	run(t, "umount", point)
	lvm("vgchange", "-q", "-an", "my-group")
	eventuallyUnused(t, d)

	// A map that is no volume group, and what is seen of it only by asking for exclusive use.
	run(t, "dmsetup", "create", "plain", "--noudevsync", "--table", "0 2048 linear "+d.Path()+" 0")
	if got := fmt.Sprint(holders(d)); got != "[mapped as plain]" {
		t.Errorf("got %s, want [mapped as plain]", got)
	}
	run(t, "dmsetup", "remove", "--noudevsync", "plain")
	eventuallyUnused(t, d)

	f, err := os.OpenFile(d.Path(), os.O_RDONLY|syscall.O_EXCL, 0)
	must(t, err)
	if err := d.CheckUnused(deadline(t, patience)); !errors.Is(err, kernel.ErrBusy) || !strings.Contains(err.Error(), "exclusive") {
		t.Errorf("got %v, want a BusyError", err)
	} else {
		t.Log(err)
	}
	must(t, f.Close())
}

// TestAnswersGivesUp: a server that does not answer hangs nobody.
func TestAnswersGivesUp(t *testing.T) {
	d, r, _ := attach(t, specOf(t, mib))
	r.holdBack()
	if err := d.Answers(deadline(t, time.Second)); !errors.Is(err, kernel.ErrStuck) {
		t.Errorf("got %v, want a StuckError", err)
	}
	r.release()
	must(t, d.Answers(deadline(t, patience)))
}

// TestElsewhere: without the right it is refused; in another network namespace it works, with this kernel.
func TestElsewhere(t *testing.T) {
	self, err := os.Executable()
	must(t, err)
	for _, tt := range []struct {
		name string
		attr syscall.SysProcAttr
		want string
	}{
		{"nobody", syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}, "false true "},
		{"another network", syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}, "false false <nil>"},
	} {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), "KERNEL_TEST_CHILD=1")
		cmd.SysProcAttr = &tt.attr
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), tt.want) {
			t.Errorf("%s: got %q, %v; want %q", tt.name, out, err, tt.want)
		}
		t.Logf("%s: %s", tt.name, out)
	}
}

// TestNothingIsLeft comes last.
func TestNothingIsLeft(t *testing.T) {
	if left := kernel.List(); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
	fds, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	for _, fd := range fds {
		if file, _ := os.Readlink("/proc/self/fd/" + fd.Name()); strings.HasPrefix(file, "socket:") || strings.HasPrefix(file, "/dev/nbd") {
			t.Errorf("descriptor %s is %s", fd.Name(), file)
		}
	}
}
