package unixsock

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

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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
	path := filepath.Join(t.TempDir(), "s")
	leaveStale(t, path)
	ln, err := Listen(path)
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
	path := filepath.Join(t.TempDir(), "s")
	leaveStale(t, path)
	var wg sync.WaitGroup
	var got atomic.Int32
	lns := make([]net.Listener, 8)
	for i := range lns {
		wg.Go(func() {
			ln, err := Listen(path)
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
		ln, err := Listen(path)
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

// TestLockedDirectoryIsAnError: somebody who keeps the directory locked does not keep attach waiting for ever.
func TestLockedDirectoryIsAnError(t *testing.T) {
	dir := t.TempDir()
	unlock, err := LockDir(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LockDir(dir, 0); !errors.Is(err, syscall.EWOULDBLOCK) {
		t.Errorf("got %v, want %v", err, syscall.EWOULDBLOCK)
	}
	if _, err := Listen(filepath.Join(dir, "s")); err == nil || !strings.Contains(err.Error(), "is locked by another process") {
		t.Errorf("got %v, want the lock named", err)
	}
	unlock()
	again, err := LockDir(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	again()
}
