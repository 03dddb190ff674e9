package kernel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/genetlink"
	"golang.org/x/sys/unix"
)

// prepared is a fake whose errands are done by processes.
func prepared(t *testing.T) *fake {
	f := newFake(t)
	f.program = "/proc/self/exe"
	f.self = os.Getpid()
	return f
}

// fifo puts a pipe in a file's place: to open one waits for the other side.
func (f *fake) fifo(name string) string {
	f.t.Helper()
	path := f.path(name)
	must(f.t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(f.t, unix.Mkfifo(path, 0o600))
	return path
}

// errandOf waits for a child that is called so, and returns its number.
func errandOf(t *testing.T, program string) int {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		for _, name := range linux.pids() {
			comm, _ := linux.text("proc", name, "comm")
			if comm == program && linux.status(name, "PPid:") == os.Getpid() {
				pid, _ := strconv.Atoi(name)
				return pid
			}
		}
	}
	t.Fatalf("there is no %s", program)
	return 0
}

// gone waits until a process is.
func gone(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(patience); syscall.Kill(pid, 0) == nil; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("process %d does not end", pid)
		}
	}
}

// TestErrandsSayTheSame: what an operation comes to does not depend on who carries it out.
func TestErrandsSayTheSame(t *testing.T) {
	for _, program := range []string{"", "/proc/self/exe", "/no/such/program"} {
		f := newFake(t)
		f.program = program
		d := f.attached(4, "lun")
		for _, do := range []func(context.Context) error{d.Flush, d.CheckUnused, d.FlushUnused} {
			err := do(patient(t))
			wantError(t, err, fs.ErrNotExist)
			wantError(t, err, syscall.ENOENT)
			wantText(t, err, "nbd: ", " /dev/nbd4: open "+f.path("dev/nbd4")+": no such file or directory")
		}
		f.files(map[string]string{"dev/nbd4/": ""})
		wantError(t, d.Answers(patient(t)), syscall.EINVAL) // no direct I/O with a directory
		f.remove("dev/nbd4")
		must(t, os.Symlink("/dev/null", f.path("dev/nbd4")))
		wantError(t, d.Flush(patient(t)), syscall.EINVAL)
		must(t, d.CheckUnused(patient(t)))
		wantError(t, d.FlushUnused(patient(t)), syscall.EINVAL)

		f.files(map[string]string{"sys/block/nbd4/queue/max_hw_sectors_kb": "512\n", "sys/block/nbd4/queue/io_timeout": "30000\n"})
		var got []string
		warnings, err := d.Start(patient(t))
		wantError(t, err, syscall.EINVAL)
		for _, w := range warnings {
			if !errors.Is(w, fs.ErrNotExist) || w.Why == "" {
				t.Errorf("got %+v", w)
			}
			got = append(got, w.Attribute+" "+w.Value)
		}
		if diff := cmp.Diff([]string{"queue/scheduler none", "queue/max_sectors_kb 512", "queue/rotational 0"}, got); diff != "" {
			t.Errorf("%q: %s", program, diff)
		}
		if got := f.number("sys/block/nbd4/queue/io_timeout"); got != 3000 {
			t.Errorf("%q: io_timeout is %d", program, got)
		}
	}
}

// TestErrandHasNothingOfOurs: a process that waits has no file of ours, no environment, no directory, and no terminal's signals.
func TestErrandHasNothingOfOurs(t *testing.T) {
	f := prepared(t)
	d := f.attached(4, "lun")
	node := f.fifo("dev/nbd4")
	t.Setenv("NOTIFY_SOCKET", "/run/systemd/notify")
	lock, err := os.Create(f.path("lock"))
	must(t, err)
	defer lock.Close()
	ours, kernels, err := socketPair(0)
	must(t, err)
	defer ours.Close()
	defer kernels.Close()
	done := make(chan error, 1)
	go func() { done <- d.Flush(patient(t)) }()
	pid := strconv.Itoa(errandOf(t, "hawser-flush"))
	for _, fd := range linux.names("proc", pid, "fd") {
		file, _ := linux.link("proc", pid, "fd", fd)
		if strings.HasPrefix(file, "socket:") || strings.HasPrefix(file, f.root) {
			t.Errorf("descriptor %s is %s", fd, file)
		}
	}
	for _, part := range strings.Split(strings.TrimSuffix(text(t, pid, "environ"), "\x00"), "\x00") {
		if !strings.HasPrefix(part, variable+"=") && !strings.HasPrefix(part, "PATH=") {
			t.Errorf("in the environment: %s", part)
		}
	}
	if got := strings.Split(text(t, pid, "cmdline"), "\x00"); !slices.Equal(got, []string{"hawser-flush", "/dev/nbd4", ""}) {
		t.Errorf("it is called %q", got)
	}
	if cwd, _ := linux.link("proc", pid, "cwd"); cwd != "/" {
		t.Errorf("it is in %s", cwd)
	}
	n, _ := strconv.Atoi(pid)
	if group, err := unix.Getpgid(n); err != nil || group != n {
		t.Errorf("it is in group %d, %v", group, err)
	}
	open(t, node)
	wantError(t, <-done, syscall.EINVAL) // what a pipe says to fsync
}

func text(t *testing.T, pid, name string) string {
	s, ok := linux.text("proc", pid, name)
	if !ok {
		t.Fatalf("process %s has no %s", pid, name)
	}
	return s
}

// open lets the one go who waits to read.
func open(t *testing.T, fifo string) {
	t.Helper()
	w, err := os.OpenFile(fifo, os.O_WRONLY, 0)
	must(t, err)
	must(t, w.Close())
}

// TestErrandIsLeft: who has it done is let go at once, and when it can it ends, without a trace.
func TestErrandIsLeft(t *testing.T) {
	f := prepared(t)
	d := f.attached(4, "lun")
	node := f.fifo("dev/nbd4")
	before := openFiles(t)
	for name, do := range map[string]func(context.Context) error{"flush": d.Flush, "claim": d.CheckUnused, "drain": d.FlushUnused, "read": d.Answers} {
		ctx, cancel := context.WithCancelCause(t.Context())
		impatient := fmt.Errorf("no more patience with %s", name)
		done := make(chan error, 1)
		go func() { done <- do(ctx) }()
		pid := errandOf(t, "hawser-"+name)
		cancel(impatient)
		err := <-done
		wantError(t, err, ErrStuck)
		wantError(t, err, impatient)
		if err := syscall.Kill(pid, 0); err != nil {
			t.Errorf("hawser-%s has not been left alone: %v", name, err)
		}
		open(t, node)
		gone(t, pid) // and reaped
	}
	f.closed(before)
}

// TestErrandOfTheDead: who asked may be dead. Then a device that has been made for him goes, and settings are left.
func TestErrandOfTheDead(t *testing.T) {
	f := newFake(t)
	f.absent = true
	load := f.modprobe
	f.modprobe = func(ctx context.Context) error {
		<-ctx.Done()
		return load(ctx)
	}
	f.script(func(q request) ([]genetlink.Message, error) {
		if q.command == cmdConnect {
			return connectedAs(6), nil
		}
		return nil, nil
	})
	o := order{Errand: connecting, Spec: specFor("lun")}
	if r := o.carryOut(f.host, strings.NewReader("")); !errors.Is(r.Err.error, ErrStuck) {
		t.Errorf("got %+v", r)
	}
	if got := f.commands(); !slices.Equal(got, []uint8{cmdConnect, cmdDisconnect}) {
		t.Errorf("commands %v", got)
	}

	d := f.attached(6, "lun")
	f.files(map[string]string{"sys/block/nbd6/queue/io_timeout": "30000\n"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := d.tune(ctx); len(got) != 4 || got[0].Err.error != nil {
		t.Errorf("got %v", got)
	}
	if got := f.number("sys/block/nbd6/queue/io_timeout"); got != 30000 {
		t.Errorf("io_timeout is %d", got)
	}
}

// TestErrandThatFails: what no report comes of is told as it is.
func TestErrandThatFails(t *testing.T) {
	f := newFake(t)
	d := f.attached(4, "lun")
	for script, want := range map[string]string{
		"echo 'panic: this' >&2; exit 2": `: exit status 2: "panic: this"`,
		"echo garbage":                   `: invalid character 'g' looking for beginning of value: "garbage"`,
		"kill -9 $$":                     `: signal: killed: ""`,
		"true":                           `: unexpected end of JSON input: ""`,
	} {
		f.program = f.path("program")
		must(t, os.WriteFile(f.program, []byte("#!/bin/sh\n"+script+"\n"), 0o700))
		wantText(t, d.Flush(patient(t)), "nbd: flush /dev/nbd4: hawser-flush (process ", "has not said what came of it"+want)
	}
	f.program = "/proc/self/exe"
	wantText(t, d.errand(patient(t), "nonsense"), `there is no errand "nonsense"`)
	wantText(t, serve("nonsense"), variable+" is no errand: ")
}

// TestOwnErrandsDoNotHold: neither what does an errand for this process, nor what did one for another that is dead, has a confusing name.
func TestOwnErrandsDoNotHold(t *testing.T) {
	f := newFake(t)
	d := f.attached(4, "lun")
	f.files(map[string]string{
		"dev/nbd4":       "",
		"proc/99/comm":   "hawser-flush\n",
		"proc/99/status": "Name:\thawser-flush\nTgid:\t99\nPPid:\t42\n",
		"proc/99/fd/3":   "-> /dev/nbd4",
		"proc/42/comm":   "ourselves\n",
		"proc/42/fd/3":   "-> /dev/nbd4",
	})
	must(t, d.CheckUnused(patient(t)))
	if got := told(f.errands(f.stackOf(4))); !slices.Equal(got, []string{"open by hawser-flush (process 99)"}) {
		t.Errorf("got %v", got)
	}
	f.files(map[string]string{"proc/99/comm": "fio\n"}) // another child
	wantText(t, d.CheckUnused(patient(t)), "in use for lun: open by fio (process 99)")
	f.files(map[string]string{"proc/99/comm": "hawser-flush\n", "proc/99/status": "Name:\thawser-flush\nTgid:\t99\nPPid:\t1\n"})
	wantText(t, d.CheckUnused(patient(t)), "in use for lun: open by hawser-flush (process 99)")
}

func TestFault(t *testing.T) {
	for _, err := range []error{
		nil,
		errors.New("in words"),
		fmt.Errorf("closing: %w", &os.PathError{Op: "close", Path: "/dev/nbd4", Err: syscall.EIO}),
		&DriverError{Advice: "load it"},
		&DriverError{Err: fmt.Errorf("modprobe: %w", syscall.EPERM), Advice: "load it"},
	} {
		b, jsonErr := fault{err}.MarshalJSON()
		must(t, jsonErr)
		var f fault
		must(t, f.UnmarshalJSON(b))
		if fmt.Sprint(f.error) != fmt.Sprint(err) {
			t.Errorf("%v came as %v", err, f.error)
		}
		for _, target := range []error{syscall.EIO, syscall.EPERM, fs.ErrPermission, ErrNoDriver} {
			if errors.Is(f.error, target) != errors.Is(err, target) {
				t.Errorf("%v: is it %v? %v", err, target, errors.Is(f.error, target))
			}
		}
	}
}
