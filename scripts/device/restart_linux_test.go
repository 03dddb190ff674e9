//go:build vm

package device

import (
	"syscall"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/scripts/relay"
)

// TestRestart kills the daemon ten times under a verified load on a mounted file system, three times with one path down. The load must see
// nothing but a pause.
func TestRestart(t *testing.T) {
	fs := fileSystems[0]
	h := newHost(t, "ram:400M,thin=on,wce=on")
	device := h.attach(0, "--fence-timeout", "10")
	dir := h.mount(fs, device)
	l := h.start(verifyJob(dir))
	l.outlivesRestarts(device, 10)
	l.ends()
	h.unmount(fs, device, dir)
}

// outlivesRestarts kills the daemon so many times, every third time with one path down.
func (l *load) outlivesRestarts(device string, times int) {
	h, t := l.h, l.h.t
	t.Helper()
	longest := time.Duration(0)
	for n := range times {
		withOne := n%3 == 2
		if withOne {
			h.storage.cut(n%2, relay.Reset)
			l.awaitPaths(1, "the loss of a path")
		}
		l.awaitTraffic(1 - n%2)
		began := time.Now()
		h.killDaemon()
		h.startDaemon()
		if v := h.list(); len(v) != 1 || v[0].Device != device {
			t.Fatalf("after restart %d the list is %+v", n+1, v)
		}
		l.awaitTraffic(1 - n%2)
		gap := time.Since(began)
		longest = max(longest, gap)
		t.Logf("restart %d, one path down %v: I/O goes on after %v", n+1, withOne, gap.Round(10*time.Millisecond))
		if withOne {
			h.storage.cut(n%2, relay.Open)
			l.awaitPaths(2, "the return of a path")
		}
	}
	t.Logf("the longest gap: %v", longest.Round(10*time.Millisecond))
}

// TestRestartPlanned replaces the daemon under load, in order.
func TestRestartPlanned(t *testing.T) {
	fs := fileSystems[1]
	h := newHost(t, "ram:400M,thin=on,wce=on")
	device := h.attach(0)
	dir := h.mount(fs, device)
	l := h.start(verifyJob(dir))
	for range 2 {
		l.awaitTraffic(0)
		old := h.daemon
		h.startDaemon("--replace")
		if err := old.Wait(t.Context()); err != nil {
			t.Errorf("the daemon that was replaced: %v\n%s", err, old.Stderr)
		}
	}
	l.awaitTraffic(1)
	if err := h.daemon.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := h.daemon.Wait(t.Context()); err != nil {
		t.Errorf("the daemon that was ended: %v\n%s", err, h.daemon.Stderr)
	}
	h.startDaemon()
	l.ends()
	if v := h.list(); len(v) != 1 || v[0].Errors.Count != 0 || v[0].Device != device {
		t.Errorf("the list is %+v", v)
	}
	h.unmount(fs, device, dir)
}
