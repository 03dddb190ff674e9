// Package unixsock makes unix sockets that are their owner's alone.
//
// A socket has mode 0600 from the first. One that a dead process has left is replaced; anything else that is at its path stays. Two
// processes that want the same path do not both get it: they take turns by a lock on its directory.
package unixsock

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// MaxPath is the longest path that the kernel takes (unix(7)), without the final 0.
const MaxPath = 107

// ErrInUse is within the error of [Listen] when somebody listens there.
var ErrInUse = errors.New("is in use")

// Listen listens at path. Its errors are whole sentences, with advice.
func Listen(path string) (net.Listener, error) {
	if len(path) > MaxPath {
		return nil, fmt.Errorf("socket %s: the path has %d bytes, at most %d are possible: choose a shorter one", path, len(path), MaxPath)
	}
	unlock, err := LockDir(filepath.Dir(path), lockWithin)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("socket %s: its directory is locked by another process: choose another path", path)
	}
	if err != nil {
		return nil, fmt.Errorf("socket %s: %w: make the directory, or choose another path", path, rootCause(err))
	}
	defer unlock()
	ln, err := bind(path)
	if errors.Is(err, syscall.EADDRINUSE) {
		if err := removeStale(path); err != nil {
			return nil, err
		}
		ln, err = bind(path)
	}
	if err != nil {
		return nil, fmt.Errorf("socket %s: %w: choose another path", path, rootCause(err))
	}
	return ln, nil
}

// bind makes the socket with mode 0600 from the first: it has the mode of its descriptor.
func bind(path string) (net.Listener, error) {
	c := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		var err error
		ctlErr := raw.Control(func(fd uintptr) { err = syscall.Fchmod(int(fd), 0o600) })
		return errors.Join(ctlErr, err)
	}}
	return c.Listen(context.Background(), "unix", path)
}

// removeStale removes a socket that nobody listens at.
func removeStale(path string) error {
	c, err := net.Dial("unix", path)
	switch {
	case err == nil:
		_ = c.Close()
		return fmt.Errorf("socket %s %w: detach what serves there, or choose another path", path, ErrInUse)
	case errors.Is(err, syscall.ECONNREFUSED) && isSocket(path):
		return os.Remove(path)
	case isSocket(path):
		return fmt.Errorf("socket %s %w (%w): detach what serves there, or choose another path", path, ErrInUse, rootCause(err))
	}
	return fmt.Errorf("socket %s: something that is not a socket is there already: choose another path", path)
}

func isSocket(path string) bool {
	fi, err := os.Lstat(path)
	return err == nil && fi.Mode().Type() == os.ModeSocket
}

// rootCause takes off what the packages on the way have put before an error.
func rootCause(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
