//go:build vm

package device

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// record is a file that was made durable: by fsync of the file and of its directory.
type record struct {
	name string
	data []byte
}

// write makes one, and says so only when the host does.
func (r record) write(dir string) error {
	f, err := os.OpenFile(filepath.Join(dir, r.name), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(r.data); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// TestPowerLoss takes the power from host and storage together: the storage forgets a random part of what it has not promised. What was
// made durable is there afterwards, and the file system is whole. The load beside it leaves writes that are not durable.
func TestPowerLoss(t *testing.T) {
	rounds := 3 // of each file system; 10 make the twenty of the long form
	if os.Getenv("HAWSER_TEST_LONG") == "1" {
		rounds = 10
	}
	for _, fs := range someFileSystems() {
		t.Run(fs.name, func(t *testing.T) {
			h := newHost(t, "ram:320M,thin=on,volatile=on")
			device := h.attach(0)
			h.run(fs.make[0], append(fs.make[1:], device)...)
			var durable []record
			lost := 0
			for round := range rounds {
				dir := h.mountOnly(fs, device)
				checkRecords(t, dir, durable)
				l := h.start([]string{
					"fio", "--name=load", "--directory=" + dir, "--rw=randwrite", "--bs=16k", "--size=16m", "--ioengine=psync", "--direct=1", "--thread",
				})
				for n := range 8 {
					r := record{fmt.Sprintf("r%d-%d", round, n), bytes.Repeat([]byte{byte(round), byte(n), 0xA5}, 1+7000*n)}
					if err := r.write(dir); err != nil {
						t.Fatalf("round %d: %v", round, err)
					}
					durable = append(durable, r)
					l.awaitTraffic(n % 2)
				}
				lost += h.target.Faults().PowerOff(uint64(round) + 1)
				h.hawser("detach", "--force", device) // the host is without power too: what it holds back is gone
				l.fails()
				h.run("umount", dir)
				h.await("the end of the device", func() bool { return len(connected(t)) == 0 })
				for _, addr := range portals {
					h.target.Faults().Up(addr)
				}
				device = h.attach(0)
			}
			dir := h.mountOnly(fs, device)
			checkRecords(t, dir, durable)
			h.unmount(fs, device, dir)
			if lost == 0 {
				t.Error("the storage has lost nothing: the test shows nothing")
			}
			t.Logf("%d losses of power, %d blocks lost, %d files durable", rounds, lost, len(durable))
		})
	}
}

func checkRecords(t *testing.T, dir string, all []record) {
	t.Helper()
	for _, r := range all {
		got, err := os.ReadFile(filepath.Join(dir, r.name))
		if err != nil || !bytes.Equal(got, r.data) {
			t.Errorf("%s was made durable, and is not what it was: %v", r.name, err)
		}
	}
}

// TestStorageAloneLosesPower: the host goes on, and must be told that what it has not flushed is gone, by the next flush.
func TestStorageAloneLosesPower(t *testing.T) {
	h := newHost(t, "ram:64M,volatile=on")
	device := h.attach(0)
	f, err := os.OpenFile(device, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	write := func() {
		t.Helper()
		h.run("dd", "if=/dev/urandom", "of="+device, "bs=64k", "count=16", "oflag=direct", "conv=notrunc", "status=none")
	}
	write()
	if err := f.Sync(); err != nil {
		t.Fatalf("before anything happened: %v", err)
	}
	write()
	h.target.Faults().PowerLoss(1)
	h.await("the return of the paths", func() bool { return h.pathsUp() == 2 })
	if err := f.Sync(); err == nil {
		t.Error("the first flush after the loss says that all is well")
	}
	write()
	if err := f.Sync(); err != nil {
		t.Errorf("the second one: %v", err)
	}
}
