//go:build vm

package device

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMemoryPressure writes much more than there is memory through a file system on the device, with little room for dirty pages, nearly
// all memory taken, and a path that comes and goes. It must never stand still.
func TestMemoryPressure(t *testing.T) {
	megabytes := 512
	if os.Getenv("HAWSER_TEST_LONG") == "1" {
		megabytes = 2048
	}
	// In a file of this very host the storage would itself wait for the dirty pages that wait for it.
	h := newHost(t, fmt.Sprintf("ram:%dM,wce=on", megabytes+256))
	device := h.attach(0)
	fs := fileSystems[0]
	dir := h.mount(fs, device)
	for name, value := range map[string]string{"dirty_bytes": "16777216", "dirty_background_bytes": "4194304", "swappiness": "0"} {
		if err := os.WriteFile("/proc/sys/vm/"+name, []byte(value), 0); err != nil {
			t.Fatal(err)
		}
	}
	// The storage would be another machine: its code, in this process, is not to be evicted and read again, and its LUN is there from the
	// first.
	for _, flags := range []int{unix.MCL_CURRENT, unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT} {
		if err := unix.Mlockall(flags); err != nil {
			t.Fatal(err)
		}
	}
	hog := h.hogMemory(160 << 20)
	defer hog()
	l := h.once([]string{"dd", "if=/dev/urandom", "of=" + filepath.Join(dir, "big"), "bs=1M", fmt.Sprintf("count=%d", megabytes), "conv=fsync", "status=none"})
	last, moved, longest := uint64(0), time.Now(), time.Duration(0)
	for flap := 0; ; flap++ {
		select {
		case <-l.ended:
			l.ends()
			t.Logf("%d MiB written; the longest time without progress: %v", megabytes, longest.Round(10*time.Millisecond))
			h.target.Faults().Up(portals[1])
			hog()
			h.unmount(fs, device, dir)
			return
		case <-time.After(100 * time.Millisecond):
		}
		if n := h.target.Snapshot().LUNs[0].WroteBytes; n != last {
			longest = max(longest, time.Since(moved))
			last, moved = n, time.Now()
		}
		if time.Since(moved) > patience {
			t.Fatalf("nothing was written for %v\n%s", patience, h.daemon.Stderr)
		}
		switch flap % 60 {
		case 20:
			h.target.Faults().Down(portals[1], true)
		case 40:
			h.target.Faults().Up(portals[1])
		}
	}
}

// hogMemory takes all memory but so much, and returns what gives it back.
func (h *host) hogMemory(leave int64) (free func()) {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		h.t.Fatal(err)
	}
	available := int64(info.Freeram)*int64(info.Unit) - leave
	if available <= 0 {
		return func() {}
	}
	mem, err := unix.Mmap(-1, 0, int(available), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		h.t.Fatal(err)
	}
	for i := 0; i < len(mem); i += 4096 {
		mem[i] = 1
	}
	done := false
	return func() {
		if !done {
			done = true
			_ = unix.Munmap(mem)
		}
	}
}
