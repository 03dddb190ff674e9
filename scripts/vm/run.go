package vm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
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
//  4. read what comes through the ports, until QEMU has ended
//  5. judge how it ended
//
// The VM is killed when ctx is done.
func Run(ctx context.Context, c Config) (Result, error) {
	c, err := c.complete()
	if err != nil {
		return Result{}, err
	}
	cache, err := findCache()
	if err != nil {
		return Result{}, err
	}
	turn, err := cache.lock(ctx, c.Alone)
	if err != nil {
		return Result{}, err
	}
	defer turn.end()
	dir, err := os.MkdirTemp("", "hawser-vm-")
	if err != nil {
		return Result{}, fmt.Errorf("vm: %w", err)
	}
	defer os.RemoveAll(dir)
	for n := 1; ; n++ {
		log, err := cache.newLog()
		if err != nil {
			return Result{}, err
		}
		args, err := prepared(c, cache, filepath.Join(dir, "initramfs"), log)
		if err != nil {
			return Result{}, err
		}
		result, err := boot(ctx, c, args, log)
		if !again(&result, err, n) {
			return result, err
		}
		fmt.Fprintf(os.Stderr, "vm: the kernel panicked before it came to the command, as it does at times under emulation: once more (%s)\n", log)
	}
}

// boots is how often a VM may try.
const boots = 3

// again says whether the nth boot ended for a reason that is not the command's. While a kernel boots it rewrites its own code, with
// breakpoints in place of what changes, and an emulator with more than one processor now and then lets one run into such a breakpoint when
// nobody knows it any more: "Oops: int3" (QEMU 7.2: 2 of 87 boots).
func again(r *Result, err error, n int) bool {
	e, ok := errors.AsType[*VMError](err)
	return ok && errors.Is(e, ErrPanic) && strings.Contains(e.Console, "Oops: int3") && r.Boot == 0 && n < boots
}

// prepared writes the initramfs and returns QEMU's arguments.
func prepared(c Config, cache cache, path, log string) ([]string, error) {
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
	return arguments(c, kernel, path, log), nil
}

// boot is the life of the VM.
func boot(ctx context.Context, c Config, args []string, log string) (Result, error) {
	ctx, limit := withLimit(ctx, bootTime, ErrBoot)
	defer limit.stop()
	r := reading{stdout: output{live: c.Stdout}, stderr: output{live: c.Stderr}}
	r.onStart = func() { limit.set(c.Timeout, ErrTimeout) }
	if c.Init == Script {
		// There is no more to do, but what hangs can keep the kernel from powering off.
		r.onExit = func() { limit.set(powerOffTime, nil) }
	}
	err := qemu(ctx, args, c.Terminal, &r)
	if r.exited && c.Init == Script {
		err = nil
	}
	result := Result{Stdout: r.stdout.kept.String(), Stderr: r.stderr.kept.String(), Boot: r.boot, Log: log}
	return result, judge(err, &r, log)
}

// judge says what became of the command.
func judge(err error, r *reading, log string) error {
	said := console(log)
	switch panicked := strings.Contains(said, "Kernel panic"); {
	case panicked:
		err = ErrPanic
	case err == nil && !r.exited:
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
