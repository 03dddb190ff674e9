package main

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// leaveStale makes the socket of a process that died.
func leaveStale(t *testing.T, path string) {
	t.Helper()
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestStaleSocketIsReplaced(t *testing.T) {
	path := socketIn(t)
	leaveStale(t, path)
	ln, err := listenUnix(path)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// TestOneOfManyGetsTheSocket has all of them find the same stale socket.
func TestOneOfManyGetsTheSocket(t *testing.T) {
	path := socketIn(t)
	leaveStale(t, path)
	var wg sync.WaitGroup
	var got atomic.Int32
	lns := make([]*nbdListener, 8)
	for i := range lns {
		wg.Go(func() {
			ln, err := listenUnix(path)
			if err == nil {
				got.Add(1)
				lns[i] = ln
				return
			}
			if !strings.Contains(err.Error(), "is in use") {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got.Load() != 1 {
		t.Errorf("%d got the socket, want 1", got.Load())
	}
	for _, ln := range lns {
		if ln != nil {
			ln.Close()
		}
	}
}

func TestSocketRefused(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("keep me"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		file:                              "not a socket",
		filepath.Join(dir, "no", "dir"):   "make the directory",
		filepath.Join(file, "nbd"):        "not a directory",
		dir + strings.Repeat("/long", 40): "choose a shorter one",
	} {
		ln, err := listenUnix(path)
		if err == nil {
			ln.Close()
			t.Errorf("%s: listens", path)
			continue
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want %q in it", err, want)
		}
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "keep me" {
		t.Errorf("the file that was there: %q, %v", b, err)
	}
}

func TestTCPLoopbackOnly(t *testing.T) {
	for addr, ok := range map[string]bool{
		"127.0.0.1:0": true, "127.9.9.9:0": true, "[::1]:0": true, "localhost:0": true,
		":0": false, "0.0.0.0:0": false, "[::]:0": false, "192.0.2.1:0": false, "example.org:0": false,
	} {
		ln, err := listenTCP(addr)
		if err == nil {
			ln.Close()
		}
		var usage *usageError
		if refused := errors.As(err, &usage); refused == ok {
			t.Errorf("%s: got %v, want allowed %v", addr, err, ok)
		}
	}
}

func TestUnixURI(t *testing.T) {
	for path, want := range map[string]string{
		"/run/hawser/vol.sock": "nbd+unix:///?socket=/run/hawser/vol.sock",
		"/run/a b&c=d+e%":      "nbd+unix:///?socket=/run/a%20b%26c%3Dd%2Be%25",
	} {
		if got := unixURI(path); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestLockedDirectoryIsAnError: somebody who keeps the directory locked does not keep attach waiting for ever.
func TestLockedDirectoryIsAnError(t *testing.T) {
	dir := t.TempDir()
	unlock, err := lockDir(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockDir(dir, 0); !errors.Is(err, syscall.EWOULDBLOCK) {
		t.Errorf("got %v, want %v", err, syscall.EWOULDBLOCK)
	}
	if _, err := listenUnix(filepath.Join(dir, "s")); err == nil || !strings.Contains(err.Error(), "is locked by another process") {
		t.Errorf("got %v, want the lock named", err)
	}
	unlock()
	again, err := lockDir(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	again()
}
