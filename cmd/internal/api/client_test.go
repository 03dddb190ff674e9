package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func contextWithCancel(t *testing.T) (context.Context, func()) {
	t.Helper()
	return context.WithCancel(testContext(t))
}

// wantError wants a kind and a text.
func wantError(t *testing.T, err error, kind Kind, text string) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Kind != kind || !strings.Contains(e.Text, text) {
		t.Errorf("got %v, want kind %q and %q in it", err, kind, text)
	}
}

const down = "the daemon is not running: start it with 'systemctl start hawser' or 'hawser daemon', or use attach --foreground"

func TestNotRunning(t *testing.T) {
	dir := ownDir(t)
	ctx := testContext(t)
	_, err := DialDaemon(ctx)
	wantError(t, err, NotRunning, down)
	_, err = Discover(ctx)
	wantError(t, err, NotRunning, down)

	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err = DialDaemon(ctx)
	wantError(t, err, NotRunning, down)

	leaveStale(t, filepath.Join(dir, "hawser.sock"))
	_, err = DialDaemon(ctx)
	wantError(t, err, NotRunning, down)
	_, err = Discover(ctx)
	wantError(t, err, NotRunning, down)
}

// leaveStale makes the socket of a process that died.
func leaveStale(t *testing.T, path string) {
	t.Helper()
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	ln.Close()
}

// answering lets fn have every connection to a socket in a directory of its own.
func answering(t *testing.T, name string, fn func(net.Conn)) (path string) {
	t.Helper()
	dir, err := Dir()
	if err != nil {
		t.Fatal(err)
	}
	_ = os.Mkdir(dir, 0o700) // it may be there
	path = filepath.Join(dir, name)
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				fn(conn)
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		wg.Wait()
	})
	return path
}

func nbdGreeting(c net.Conn) {
	_, _ = io.WriteString(c, "NBDMAGICIHAVEOPT\x00\x03")
	_, _ = io.Copy(io.Discard, c)
}

// TestStrangers are what else may listen at a socket.
func TestStrangers(t *testing.T) {
	ownDir(t)
	for i, test := range []struct {
		fn   func(net.Conn)
		kind Kind
		want string
	}{
		{nbdGreeting, NotRunning, "does not speak hawser's language"},
		{func(net.Conn) {}, Failed, "it hung up"},
		{func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope")
			_, _ = io.Copy(io.Discard, c)
		}, Failed, "does not speak this version's language: restart it"},
		{func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnope")
			_, _ = io.Copy(io.Discard, c)
		}, Failed, "does not speak this version's language: restart it"},
		{func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{") }, Failed, "it hung up"},
	} {
		_, err := Dial(testContext(t), answering(t, fmt.Sprintf("%d.sock", i), test.fn))
		wantError(t, err, test.kind, test.want)
	}
}

// TestLaterVersion meets a process that knows more, and one that knows only another language.
func TestLaterVersion(t *testing.T) {
	ownDir(t)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/version", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"version":"v9","pid":7,"mood":"good"}`)
	})
	ln, err := ListenDaemon()
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: mux}
	go srv.Serve(ln)
	defer srv.Close()
	c, err := DialDaemon(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	if v := c.Version(); v.Version != "v9" || v.PID != 7 {
		t.Errorf("got %+v", v)
	}
	_, err = c.Volumes(testContext(t))
	wantError(t, err, Failed, "process 7 at "+c.Path()+" does not speak this version's language")
}

// TestSilence: a process that is stopped does not stop who asks.
func TestSilence(t *testing.T) {
	ownDir(t)
	path := answering(t, "hawser.sock", func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errors.New("no answer in time"))
	defer cancel()
	_, err := Dial(ctx, path)
	wantError(t, err, Failed, "what listens at "+path+": no answer in time")
	clients, err := Discover(ctx)
	if wantError(t, err, Failed, "no answer in time"); len(clients) != 0 {
		t.Errorf("got %d clients", len(clients))
	}
}

func TestNoVolumeHasThatName(t *testing.T) {
	f := &fake{}
	c := serveDaemon(t, f)
	ctx := testContext(t)
	for _, name := range []string{"..", ".", "a/b", "/dev/sda", "/dev/nbd0/../sda", "a\n"} {
		_, err := c.Volume(ctx, name)
		wantError(t, err, NotFound, "there is no volume")
		wantError(t, c.Detach(ctx, name, true), NotFound, "there is no volume")
		wantError(t, c.Rescan(ctx, name), NotFound, "there is no volume")
	}
	wantError(t, c.Detach(ctx, "", true), NotFound, "there is no volume")
	if len(f.calls) != 0 {
		t.Errorf("reached the service: %v", f.calls)
	}
}

// TestTooLargeRequest is refused by the other end, in words.
func TestTooLargeRequest(t *testing.T) {
	c := serveDaemon(t, &fake{})
	_, err := c.Attach(testContext(t), AttachRequest{URLs: []string{strings.Repeat("a", 1<<20)}})
	wantError(t, err, Usage, "more than 65536 bytes")
}
