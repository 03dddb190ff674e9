package vm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lock waits until no other VM of this clone runs, and keeps it so until the file is closed. Two emulated
// machines on two processors only make each other late.
//
// Who waits for the lock holds another meanwhile, which is needed to wait: so a process with one VM after
// another does not keep the lock from those who wait.
func (c cache) lock(ctx context.Context) (*os.File, error) {
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return nil, fmt.Errorf("vm: %w", err)
	}
	next, err := flock(ctx, filepath.Join(c.dir, "lock.next"))
	if err != nil {
		return nil, err
	}
	defer next.Close()
	return flock(ctx, filepath.Join(c.dir, "lock"))
}

// flock opens a file and waits until it is nobody else's.
func flock(ctx context.Context, path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("vm: %w", err)
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			f.Close()
			return nil, fmt.Errorf("vm: lock %s: %w", path, err)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("vm: waiting for another VM: %w", ctx.Err())
		case <-time.After(100 * time.Millisecond): // a lock on a file wakes nobody who can also give up
		}
	}
}
