package main

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// endProcess tells a process to end, and returns when it has. Of one that nobody has waited for there is a number left, but no file and no
// socket, so it has ended: the number tells no difference, its descriptor does.
func endProcess(ctx context.Context, pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("pidfd_open: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.PidfdSendSignal(fd, unix.SIGTERM, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("SIGTERM: %w", err)
	}
	for {
		const look = 50 // ms, how often ctx is looked at
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, look)
		switch {
		case n > 0:
			return nil
		case err != nil && !errors.Is(err, unix.EINTR):
			return fmt.Errorf("poll: %w", err)
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
	}
}
