package vm

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestCommand: what a command gets, and what comes back of it.
func TestCommand(t *testing.T) {
	dir, share := filepath.Join(t.TempDir(), "it's here"), t.TempDir()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	result, err := inVM(t, Config{
		Command: append(Shell(`
			echo "$PWD|$1|$WORD|$(id -u)"
			echo that is wrong >/dev/stderr
			uname -r >"$2/release"
			head -c 4096 /dev/zero | tr '\0' x >/dev/vda
			touch /written-in-the-vm
			sleep 1000 & # holds stdout
			exit 3`), "sh", "two  words\n", share),
		Dir:   dir,
		Env:   []string{"WORD='quoted' $HOME"},
		Share: []string{share},
		Disks: []string{image(t)},
	})
	if got, want := result.Stdout, dir+"|two  words\n|'quoted' $HOME|0\n"; got != want {
		t.Errorf("got stdout %q, want %q", got, want)
	}
	if got, want := result.Stderr, "that is wrong\n"; got != want {
		t.Errorf("got stderr %q, want %q", got, want)
	}
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Status != 3 {
		t.Fatalf("got %v, want exit status 3", err)
	}
	contains(t, exit.Error(), "that is wrong")
	release, err := os.ReadFile(filepath.Join(share, "release"))
	if err != nil {
		t.Error(err)
	}
	contains(t, string(release), "6.12.")
	if _, err := os.Stat("/written-in-the-vm"); err == nil {
		t.Error("a VM has written to the host's root")
	}
}

// TestModules: what the tests of devices need is in this kernel.
func TestModules(t *testing.T) {
	if _, err := inVM(t, Config{Command: Shell(`
		for module in nbd ext4 xfs dm_mod dm_log_writes target_core_mod target_core_iblock target_core_file iscsi_target_mod; do
			modprobe $module
			test -d /sys/module/$module
		done
		grep nodev.configfs /proc/filesystems
		test -d /sys/kernel/config/target
		test -b /dev/nbd0`)}); err != nil {
		t.Error(err)
	}
}

// TestHang: a command that does not end is killed, and the console says where it was.
func TestHang(t *testing.T) {
	result, err := inVM(t, Config{
		Command: Shell(`echo so far; exec sleep 12345`),
		Timeout: 12 * time.Second,
	})
	var failed *VMError
	if !errors.As(err, &failed) || !errors.Is(err, ErrTimeout) {
		t.Fatalf("got %v, want %v", err, ErrTimeout)
	}
	contains(t, failed.Error(), "has not ended", "sleep 12345", "Show Blocked State")
	if got, want := result.Stdout, "so far\n"; got != want {
		t.Errorf("got stdout %q, want %q", got, want)
	}
}

// TestCancel: a VM ends with its context.
func TestCancel(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out what boots a VM")
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Run(ctx, Config{
		Command: Shell(`echo on the console >/dev/console; echo ready; exec sleep 12345`),
		Stdout:  writerFunc(func() { cancel() }),
	})
	var failed *VMError
	if !errors.As(err, &failed) || !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want %v", err, context.Canceled)
	}
	contains(t, failed.Console, "on the console")
}

// TestPanic: a kernel that panics ends the VM at once.
func TestPanic(t *testing.T) {
	_, err := inVM(t, Config{Command: Shell(`echo c >/proc/sysrq-trigger; sleep 12345`)})
	if !errors.Is(err, ErrPanic) {
		t.Fatalf("got %v, want %v", err, ErrPanic)
	}
	contains(t, err.Error(), "Kernel panic - not syncing", "sysrq triggered crash")
}

// TestPrepareThatFails: there is no VM without its root.
func TestPrepareThatFails(t *testing.T) {
	_, err := inVM(t, Config{Command: []string{"true"}, Prepare: "echo no such unit >&2; exit 4"})
	if !errors.Is(err, ErrPanic) {
		t.Fatalf("got %v, want %v", err, ErrPanic)
	}
	contains(t, err.Error(), "no such unit")
}

// A writerFunc is called for what is written.
type writerFunc func()

func (f writerFunc) Write(p []byte) (int, error) {
	f()
	return len(p), nil
}
