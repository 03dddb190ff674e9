package vm

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/hawser-storage/hawser/scripts/proc"
)

// qemu runs QEMU until it ends, and kills it when ctx is done; the error is then the cause of that.
func qemu(ctx context.Context, args []string, terminal bool, r *reading) error {
	path, err := proc.Find("qemu-system-x86_64")
	if err != nil {
		return fmt.Errorf("vm: %w", err)
	}
	var said strings.Builder
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stderr = &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if terminal {
		cmd.Stdin, cmd.Stdout = os.Stdin, os.Stdout
	}

	// QEMU dies when the thread that started it does, so the thread has to stay.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	readers, err := start(cmd)
	if err != nil {
		return fmt.Errorf("vm: start QEMU: %w", err)
	}
	r.began = time.Now()
	r.all(readers)
	err = cmd.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err != nil {
		return fmt.Errorf("QEMU: %w: %s", err, strings.TrimSpace(said.String()))
	}
	return nil
}

// start starts a command with a pipe for each port, and returns our ends.
func start(cmd *exec.Cmd) (readers []*os.File, err error) {
	defer func() {
		for _, f := range cmd.ExtraFiles {
			f.Close()
		}
		if err != nil {
			for _, f := range readers {
				f.Close()
			}
		}
	}()
	for range ports {
		r, w, err := os.Pipe()
		if err != nil {
			return readers, err
		}
		readers, cmd.ExtraFiles = append(readers, r), append(cmd.ExtraFiles, w)
	}
	return readers, cmd.Start()
}
