package vm

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/hawser-storage/hawser/scripts/proc"
)

// A Result is what a VM has left. Of one that failed it has what there was until then.
type Result struct {
	Stdout, Stderr string        // the first 16 MiB of each
	Boot           time.Duration // from the start of the VM to that of its command
	Log            string        // the path of what the console said
}

// Run boots a VM, runs its command, and returns when the VM has ended. Its stages are:
//
//  1. wait for the turn
//  2. make the initramfs, which has the command in it
//  3. start QEMU
//  4. read what comes through the ports, until all are closed, as QEMU has ended
//  5. judge how it ended
func Run(ctx context.Context, c Config) (Result, error) {
	c, err := c.complete()
	if err != nil {
		return Result{}, err
	}
	cache, err := findCache()
	if err != nil {
		return Result{}, err
	}
	turn, err := cache.lock(ctx)
	if err != nil {
		return Result{}, err
	}
	defer turn.Close()
	log, err := cache.newLog()
	if err != nil {
		return Result{}, err
	}
	dir, err := os.MkdirTemp("", "hawser-vm-")
	if err != nil {
		return Result{}, fmt.Errorf("vm: %w", err)
	}
	defer os.RemoveAll(dir)
	args, err := arguments(c, cache, filepath.Join(dir, "initramfs"), log)
	if err != nil {
		return Result{}, err
	}
	return boot(ctx, c, args, log)
}

// arguments writes the initramfs and returns QEMU's arguments.
func arguments(c Config, cache cache, path, log string) ([]string, error) {
	kernel, err := cache.kernel()
	if err != nil {
		return nil, err
	}
	image, err := initramfs(c, kernel)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(path, image, 0o600); err != nil {
		return nil, fmt.Errorf("vm: %w", err)
	}
	return machine(c, kernel, path, log), nil
}

// boot is the life of QEMU.
func boot(ctx context.Context, c Config, args []string, log string) (Result, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.Timeout, ErrTimeout)
	defer cancel()
	qemu, err := proc.Find("qemu-system-x86_64")
	if err != nil {
		return Result{}, fmt.Errorf("vm: %w", err)
	}
	var said strings.Builder
	cmd := exec.CommandContext(ctx, qemu, args...)
	cmd.Stderr = &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if c.Terminal {
		cmd.Stdin, cmd.Stdout = os.Stdin, os.Stdout
	}
	readers, err := pipes(cmd)
	if err != nil {
		return Result{}, err
	}

	// QEMU dies when the thread that started it does, so the thread has to stay.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	r := reading{kill: cancel, stdout: output{live: c.Stdout}, stderr: output{live: c.Stderr}, began: time.Now()}
	err = cmd.Start()
	for _, f := range cmd.ExtraFiles {
		f.Close()
	}
	if err != nil {
		for _, f := range readers {
			f.Close()
		}
		return Result{}, fmt.Errorf("vm: %w", err)
	}
	r.all(readers)
	err = cmd.Wait()
	result := Result{Stdout: r.stdout.kept.String(), Stderr: r.stderr.kept.String(), Boot: r.boot, Log: log}
	switch cause := context.Cause(ctx); {
	case r.ended && c.Init == Script: // which has no more to do
		err = nil
	case cause != nil:
		err = cause
	case err != nil:
		err = fmt.Errorf("QEMU: %w: %s", err, strings.TrimSpace(said.String()))
	}
	return result, judge(err, &r, log)
}

// pipes gives the command a pipe for each port, and returns our ends.
func pipes(cmd *exec.Cmd) (readers []*os.File, err error) {
	for range ports {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, fmt.Errorf("vm: %w", err)
		}
		readers, cmd.ExtraFiles = append(readers, r), append(cmd.ExtraFiles, w)
	}
	return readers, nil
}

// judge says what became of the command.
func judge(err error, r *reading, log string) error {
	said := console(log)
	switch panicked := strings.Contains(said, "Kernel panic"); {
	case panicked:
		err = ErrPanic
	case err == nil && !r.ended:
		err = ErrEnded
	}
	if err != nil {
		return &VMError{Err: err, Console: end(said, 8000), Log: log}
	}
	if r.status != 0 {
		return &ExitError{Status: r.status, Stderr: end(r.stderr.kept.String(), 4000)}
	}
	return nil
}
