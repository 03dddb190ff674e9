//go:build vm

package kernel_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev/nbd/kernel"
)

// TestLoad begins without the module.
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
	want := kernel.Connected{Index: d.Index(), Size: 2 * mib, Backend: spec.Backend}
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
	refused(other, d.Path(), "test TestInUse")
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
