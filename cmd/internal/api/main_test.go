package api

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain counts goroutines and file descriptors at the end.
func TestMain(m *testing.M) {
	_ = openFiles() // the poller's are made at its first use
	before := openFiles()
	goleak.VerifyTestMain(m, goleak.Cleanup(func(status int) {
		if after := openFiles(); after > before && status == 0 {
			println("file descriptors leak: before", before, "after", after)
			status = 1
		}
		os.Exit(status)
	}))
}

func openFiles() int {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	ln.Close()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		panic(err)
	}
	return len(entries)
}

// patience caps every wait of a test, so that a hang fails; nothing is measured against it.
const patience = time.Minute

// fake is a Service that answers as it is told, and keeps what it was asked.
type fake struct {
	version Version
	volumes []Volume
	err     error
	block   chan struct{} // if not nil, Attach waits for it or its context
	began   chan struct{} // told when Attach waits

	mu    sync.Mutex
	calls []any
}

func (f *fake) called(what ...any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, what)
	return f.err
}

func (f *fake) Version() Version { return f.version }

func (f *fake) Attach(ctx context.Context, r AttachRequest) (Volume, error) {
	if err := f.called("attach", r); err != nil || f.block == nil {
		return f.first(), err
	}
	f.began <- struct{}{}
	select {
	case <-f.block:
		return f.first(), nil
	case <-ctx.Done():
		f.began <- struct{}{}
		return Volume{}, errors.New("told to end")
	}
}

func (f *fake) first() (v Volume) {
	if len(f.volumes) > 0 {
		v = f.volumes[0]
	}
	return v
}

func (f *fake) Detach(_ context.Context, name string, force bool) error {
	return f.called("detach", name, force)
}

func (f *fake) Volumes(context.Context) ([]Volume, error) { return f.volumes, f.called("volumes") }

func (f *fake) Volume(_ context.Context, name string) (Volume, error) {
	return f.first(), f.called("volume", name)
}

func (f *fake) Release(context.Context) error { return f.called("release") }

func (f *fake) Rescan(_ context.Context, name string) error { return f.called("rescan", name) }

// ownDir gives the test a directory for sockets.
func ownDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	t.Setenv(dirVariable, dir)
	return dir
}

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// serve answers at ln until the test, or stop, ends it.
func serve(t *testing.T, ln net.Listener, err error, s Service) (stop func()) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, ln, s) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// serveDaemon is a daemon, and a client of it.
func serveDaemon(t *testing.T, f *fake) *Client {
	t.Helper()
	ownDir(t)
	ln, err := ListenDaemon()
	serve(t, ln, err, f)
	c, err := DialDaemon(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	return c
}
