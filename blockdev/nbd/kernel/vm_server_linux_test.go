//go:build vm

package kernel_test

import (
	"os"
	"slices"
	"syscall"
	"testing"
	"unsafe"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/blockdev/memdev"
	"github.com/hawser-storage/hawser/blockdev/nbd"
	"github.com/hawser-storage/hawser/blockdev/nbd/kernel"
	"golang.org/x/sys/unix"
)

// server is hawser's own, with a disk in memory.
func server(t *testing.T) (*nbd.Server, *blockdev.Info, func()) {
	l, err := loop.New(loop.Config{})
	must(t, err)
	arena, err := blockdev.NewArena(nbd.Config{}.ArenaSize())
	must(t, err)
	dev := memdev.New(l, memdev.Config{Size: 64 * mib, BlockSize: 4096, WriteCache: true})
	s, err := nbd.New(l, arena, []nbd.Export{{Name: "disk", Device: dev}}, nbd.Config{})
	must(t, err)
	ran := make(chan error, 1)
	go func() { ran <- l.Run() }()
	return s, dev.Info(), func() {
		t.Helper()
		must(t, s.Close(deadline(t, patience)))
		must(t, dev.Close(deadline(t, patience)))
		l.Stop()
		must(t, <-ran)
		must(t, arena.Close())
	}
}

// TestServer is all as it is meant: the server's flags, a large write, a discard, a server that goes and comes again.
func TestServer(t *testing.T) {
	s, info, stop := server(t)
	spec := specOf(t, info.Size)
	spec.BlockSize, spec.Flags = info.BlockSize, uint64(nbd.TransmissionFlags(info))
	d, c, err := kernel.Connect(deadline(t, patience), spec)
	must(t, err)
	must(t, s.Transmit("disk", c))
	for _, w := range d.Tune(deadline(t, patience)) {
		t.Error(w)
	}
	must(t, d.Answers(deadline(t, patience)))

	f, err := os.OpenFile(d.Path(), os.O_RDWR|syscall.O_DIRECT, 0)
	must(t, err)
	out, in := aligned(t, 8*mib), aligned(t, 8*mib)
	for i := range out {
		out[i] = byte(i*13 + i>>9)
	}
	_, err = f.WriteAt(out, 16*mib)
	must(t, err)
	must(t, f.Sync())
	_, err = f.ReadAt(in, 16*mib)
	must(t, err)
	if !slices.Equal(in, out) {
		t.Error("read something else than was written")
	}
	for _, request := range []uintptr{unix.BLKDISCARD, unix.BLKZEROOUT} {
		extent := [2]uint64{16 * mib, 4 * mib}
		if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, uintptr(unsafe.Pointer(&extent))); e != 0 {
			t.Errorf("ioctl %#x: %v", request, e)
		}
	}
	_, err = f.ReadAt(in, 16*mib)
	must(t, err)
	if i := slices.IndexFunc(in[:4*mib], func(b byte) bool { return b != 0 }); i >= 0 || !slices.Equal(in[4*mib:], out[4*mib:]) {
		t.Errorf("after zeroing: byte %d is not, or more was zeroed", i)
	}

	stop()
	s, _, stop = server(t)
	c, err = d.Reconnect(deadline(t, patience))
	must(t, err)
	must(t, s.Transmit("disk", c))
	must(t, d.Answers(deadline(t, patience)))
	must(t, f.Close())
	must(t, d.CheckUnused(deadline(t, patience)))
	must(t, d.Disconnect(deadline(t, patience)))
	stop()
}
