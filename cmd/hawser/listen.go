package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// nbdListener is where NBD clients come in.
type nbdListener struct {
	net.Listener
	uri string // as the NBD project writes it
}

func (o *attachOptions) openListener() (*nbdListener, error) {
	if o.socket != "" {
		return listenUnix(o.socket)
	}
	return listenTCP(o.listen)
}

// listenTCP listens on the loopback.
func listenTCP(addr string) (*nbdListener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, usagef("--listen %q: want HOST:PORT", addr)
	}
	if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return nil, usagef("--listen %s: NBD here has neither encryption nor passwords, so it listens on the loopback only: "+
			"use 127.0.0.1:PORT, or --socket PATH, and a tunnel such as ssh -L for other hosts", addr)
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen at %s: %w: stop what listens there, or choose another port", addr, rootCause(err))
	}
	return &nbdListener{ln, "nbd://" + ln.Addr().String()}, nil
}

// maxSocketPath is what the kernel takes (unix(7)), without the final 0.
const maxSocketPath = 107

// listenUnix listens at path. A socket that a dead process has left there is replaced; anything else that is there stays.
func listenUnix(path string) (*nbdListener, error) {
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("socket %s: the path has %d bytes, at most %d are possible: choose a shorter one", path, len(path), maxSocketPath)
	}
	unlock, err := lockDir(filepath.Dir(path), lockWithin)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("socket %s: its directory is locked by another process: choose another path", path)
	}
	if err != nil {
		return nil, fmt.Errorf("socket %s: %w: make the directory, or choose another path", path, rootCause(err))
	}
	defer unlock()
	ln, err := bindUnix(path)
	if errors.Is(err, syscall.EADDRINUSE) {
		if err := removeStale(path); err != nil {
			return nil, err
		}
		ln, err = bindUnix(path)
	}
	if err != nil {
		return nil, fmt.Errorf("socket %s: %w: choose another path", path, rootCause(err))
	}
	return &nbdListener{ln, unixURI(path)}, nil
}

// bindUnix makes the socket with mode 0600 from the first: it has the mode of its descriptor.
func bindUnix(path string) (net.Listener, error) {
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
		return fmt.Errorf("socket %s is in use: detach what serves there, or choose another path", path)
	case errors.Is(err, syscall.ECONNREFUSED) && isSocket(path):
		return os.Remove(path)
	case isSocket(path):
		return fmt.Errorf("socket %s is in use (%w): detach what serves there, or choose another path", path, rootCause(err))
	}
	return fmt.Errorf("socket %s: something that is not a socket is there already: choose another path", path)
}

func isSocket(path string) bool {
	fi, err := os.Lstat(path)
	return err == nil && fi.Mode().Type() == os.ModeSocket
}

// lockWithin is how long another process may take to listen in the same directory. Anybody who may read the directory can lock it.
const lockWithin = 2 * time.Second

// lockDir keeps two processes from both replacing one stale socket.
func lockDir(dir string, within time.Duration) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	end := time.Now().Add(within)
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return func() { _ = f.Close() }, nil // which unlocks
		case err == syscall.EINTR:
			continue
		case err != syscall.EWOULDBLOCK || !time.Now().Before(end):
			_ = f.Close() // the lock's error says more
			return nil, err
		}
		time.Sleep(within / 100)
	}
}

func unixURI(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	escaped := strings.NewReplacer("%2F", "/", "+", "%20").Replace(url.QueryEscape(path))
	return "nbd+unix:///?socket=" + escaped
}
