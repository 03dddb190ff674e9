package vm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// places is how many VMs of a clone run at a time: one for each processor. One takes about that much, though it has two, as it
// waits for time to pass; more VMs than processors only make each other late.
var places = runtime.NumCPU()

// A turn is a place among the VMs that run, or all places.
type turn []*os.File

// lock waits for a turn: for a place, or until no other VM of this clone runs.
//
// Who waits for it holds another lock meanwhile, which is needed to wait: so a process with one VM after
// another does not keep the turn from those who wait, and who needs all places gets them.
func (c cache) lock(ctx context.Context, alone bool) (t turn, err error) {
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return nil, fmt.Errorf("vm: %w", err)
	}
	next, err := flock(ctx, filepath.Join(c.dir, "lock.next"))
	if err != nil {
		return nil, err
	}
	defer next.Close()
	var free []string
	for i := range places {
		free = append(free, filepath.Join(c.dir, fmt.Sprintf("lock.%d", i)))
	}
	if !alone {
		f, err := flock(ctx, free...)
		return turn{f}, err
	}
	for _, place := range free {
		f, err := flock(ctx, place)
		if err != nil {
			t.end()
			return nil, err
		}
		t = append(t, f)
	}
	return t, nil
}

// end gives the turn up.
func (t turn) end() {
	for _, f := range t {
		f.Close()
	}
}

// flock waits until one of the files is nobody else's.
func flock(ctx context.Context, paths ...string) (*os.File, error) {
	for {
		for _, path := range paths {
			if f, err := tryLock(path); f != nil || err != nil {
				return f, err
			}
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("vm: waiting for another VM: %w", ctx.Err())
		case <-time.After(100 * time.Millisecond): // a lock on a file wakes nobody who can also give up
		}
	}
}

// tryLock opens a file, and returns it if it is nobody else's.
func tryLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("vm: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	f.Close()
	if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
		return nil, fmt.Errorf("vm: lock %s: %w", path, err)
	}
	return nil, nil
}
