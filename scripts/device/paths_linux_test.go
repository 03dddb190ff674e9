//go:build vm

package device

import (
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/scripts/relay"
)

// load is a job that is run again and again beside what the test does, until it is told to end.
type load struct {
	h     *host
	stop  atomic.Bool
	ended chan struct{} // closed after the last run
	err   error         // of that
	out   string
}

// start begins one.
func (h *host) start(job []string) *load {
	h.t.Helper()
	l := &load{h: h, ended: make(chan struct{})}
	go func() {
		defer close(l.ended)
		for again := true; again; again = !l.stop.Load() && l.err == nil {
			out, err := exec.CommandContext(h.t.Context(), job[0], job[1:]...).CombinedOutput()
			l.err, l.out = err, string(out)
		}
	}()
	h.t.Cleanup(func() { l.stop.Store(true) })
	return l
}

// once is a job that is run once.
func (h *host) once(job []string) *load {
	h.t.Helper()
	l := h.start(job)
	l.stop.Store(true)
	return l
}

// goesOn fails the test if the job has failed.
func (l *load) goesOn() {
	l.h.t.Helper()
	select {
	case <-l.ended:
		l.h.t.Fatalf("the load ended early: %v\n%s\ndaemon:\n%s", l.err, l.out, l.h.daemon.Stderr)
	default:
	}
}

// fails waits for the job's failure.
func (l *load) fails() {
	l.h.t.Helper()
	select {
	case <-l.ended:
	case <-time.After(patience):
		l.h.t.Fatalf("the load has seen no error\n%s", l.h.daemon.Stderr)
	}
}

// ends lets the run that is under way be the last, and waits for it. It must be without an error.
func (l *load) ends() {
	l.h.t.Helper()
	l.stop.Store(true)
	select {
	case <-l.ended:
	case <-time.After(patience):
		l.h.t.Fatalf("the load does not end\n%s", l.h.daemon.Stderr)
	}
	if l.err != nil {
		l.h.t.Fatalf("the load: %v\n%s\ndaemon:\n%s", l.err, l.out, l.h.daemon.Stderr)
	}
}

// pathsUp is how many paths of the only volume carry requests.
func (h *host) pathsUp() (n int) {
	for _, v := range h.list() {
		for _, p := range v.Paths {
			if p.State == "up" {
				n++
			}
		}
	}
	return n
}

// pathsFailing is how many paths of the only volume do not, for a reason that begins so.
func (h *host) pathsFailing(reason string) (n int) {
	for _, v := range h.list() {
		for _, p := range v.Paths {
			if p.State != "up" && strings.HasPrefix(p.Reason, reason) {
				n++
			}
		}
	}
	return n
}

// awaitTraffic waits until a portal has carried data that came after now.
func (l *load) awaitTraffic(portal int) {
	l.h.t.Helper()
	before := l.h.storage.carried(portal)
	l.h.await("I/O by "+portals[portal], func() bool {
		l.goesOn()
		return l.h.storage.carried(portal) >= before+256<<10 // more than logins and probes
	})
}

// TestPaths cuts each path in turn under a mounted file system, and then both, for longer than every timeout but no_path_retry. Nothing
// above notices.
func TestPaths(t *testing.T) {
	for _, fs := range someFileSystems() {
		t.Run(fs.name, func(t *testing.T) {
			h := newHost(t, "ram:400M,thin=on,wce=on")
			device := h.attach(0, "--fence-timeout", "60", "--no-path-retry", "120")
			dir := h.mount(fs, device)
			l := h.start(verifyJob(dir))
			l.outlivesCuts()
			l.ends()
			h.sawNoError()
			h.unmount(fs, device, dir)
		})
	}
}

// outlivesCuts cuts each path in every way, and then both.
func (l *load) outlivesCuts() {
	h := l.h
	h.t.Helper()
	for name, cut := range cuts {
		for i := range portals {
			l.awaitTraffic(i)
			h.storage.cut(i, cut)
			l.awaitPaths(1, "the loss of a path by "+name)
			l.awaitTraffic(1 - i)
			h.storage.cut(i, relay.Open)
			l.awaitPaths(2, "the return of a path")
		}
	}
	h.cutAll(relay.Silent)
	l.awaitPaths(0, "the loss of both paths")
	h.await("logins that take too long", func() bool { l.goesOn(); return h.pathsFailing("login:") == len(portals) })
	h.cutAll(relay.Open)
	l.awaitTraffic(0)
}

// awaitPaths waits until so many paths are up. The load goes on meanwhile.
func (l *load) awaitPaths(n int, what string) {
	l.h.t.Helper()
	l.h.await(what, func() bool { l.goesOn(); return l.h.pathsUp() == n })
}

// cutAll cuts both portals.
func (h *host) cutAll(how relay.Mode) {
	for i := range portals {
		h.storage.cut(i, how)
	}
}

// sawNoError is what must be true of the only volume in the end.
func (h *host) sawNoError() {
	h.t.Helper()
	if v := h.list(); len(v) != 1 || v[0].Errors.Count != 0 {
		h.t.Errorf("errors reached the device: %+v", v)
	}
}

// someFileSystems is one of them, unless it is the long form.
func someFileSystems() []fsKind {
	if os.Getenv("HAWSER_TEST_LONG") == "1" {
		return fileSystems
	}
	return fileSystems[:1]
}

// TestPathsGoneForGood: when no path comes back in time the host gets errors, can unmount and detach, and nothing is stuck. When the storage
// is there again the file system is whole.
func TestPathsGoneForGood(t *testing.T) {
	for _, fs := range someFileSystems() {
		t.Run(fs.name, func(t *testing.T) {
			h := newHost(t, "ram:400M,thin=on,wce=on")
			device := h.attach(0, "--no-path-retry", "5", "--fence-timeout", "5")
			dir := h.mount(fs, device)
			h.losesStorage(device, dir)
			device = h.attach(0)
			dir = h.mountOnly(fs, device) // which replays the journal
			h.unmount(fs, device, dir)
		})
	}
}

// losesStorage takes the storage away under a load until the host has given up, unmounted and detached, and gives it back.
func (h *host) losesStorage(device, dir string) {
	t := h.t
	t.Helper()
	l := h.start(verifyJob(dir))
	l.awaitTraffic(0)
	h.cutAll(relay.Reset)
	l.fails()
	v := h.list()
	if len(v) != 1 || v[0].State != "failing" || v[0].Errors.Count == 0 {
		t.Errorf("list says %+v", v)
	}
	if s := h.hawser("status"); !strings.Contains(s, "fsck") {
		t.Errorf("status says nothing of the errors that reached the device:\n%s", s)
	}
	h.run("umount", dir)
	if _, err := h.try("detach", device); err != nil && !strings.Contains(err.Error(), "is detached, but") { // perhaps the host held data back
		t.Errorf("detach: %v", err)
	}
	if left := connected(t); len(left) > 0 {
		t.Errorf("devices are left: %v", left)
	}
	if stuck := uninterruptible(); len(stuck) > 0 {
		t.Errorf("stuck: %v", stuck)
	}
	h.cutAll(relay.Open)
}
