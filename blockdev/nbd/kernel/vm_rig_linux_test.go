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
	"strings"
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
	kernel.Prepare()
	if os.Getenv("KERNEL_TEST_CHILD") != "" {
		child()
	}
	if os.Getuid() != 0 {
		fmt.Println("these tests are for root in the VM of scripts/vm")
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if !nothingIsLeft() {
			code = 1
		}
		os.Exit(code)
	}))
}

// nothingIsLeft says whether all devices and descriptors are gone that the tests have made.
func nothingIsLeft() bool {
	left := kernel.List()
	if len(left) != 0 {
		fmt.Printf("left: %+v\n", left)
	}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		fmt.Println(err)
		return false
	}
	ok := len(left) == 0
	for _, fd := range fds {
		if file, _ := os.Readlink("/proc/self/fd/" + fd.Name()); strings.HasPrefix(file, "socket:") || strings.HasPrefix(file, "/dev/nbd") {
			fmt.Printf("descriptor %s is %s\n", fd.Name(), file)
			ok = false
		}
	}
	return ok
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
	warnings, err := d.Start(deadline(t, patience))
	must(t, err)
	for _, w := range warnings {
		t.Error(w)
	}
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
