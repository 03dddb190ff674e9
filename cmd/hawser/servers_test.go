package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hawser-storage/hawser/cmd/internal/api"
)

// fakeServer is a process with volumes that do nothing. A volume may be told to fail whatever is asked of it.
type fakeServer struct {
	version api.Version
	fails   map[string]error // by volume

	mu      sync.Mutex
	volumes []api.Volume
	calls   []string
	asked   api.AttachRequest
}

func (s *fakeServer) called(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, fmt.Sprintf(format, args...))
}

func (s *fakeServer) Version() api.Version { return s.version }

func (s *fakeServer) Attach(_ context.Context, r api.AttachRequest) (api.Volume, error) {
	s.called("attach %s", r.Name)
	s.asked = r
	if err := s.fails[r.Name]; err != nil {
		return api.Volume{}, err
	}
	v := dbVolume()
	v.Name = r.Name
	return v, nil
}

func (s *fakeServer) Detach(_ context.Context, name string, force bool) error {
	s.called("detach %s %v", name, force)
	if force {
		return nil
	}
	return s.fails[name]
}

func (s *fakeServer) Volumes(context.Context) ([]api.Volume, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.volumes), s.fails[""]
}

func (s *fakeServer) Volume(_ context.Context, name string) (api.Volume, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.volumes {
		if v.Name == name {
			return v, nil
		}
	}
	return api.Volume{}, &api.Error{Kind: api.NotFound, Text: "there is no volume " + name}
}

func (s *fakeServer) Rescan(_ context.Context, name string) error {
	s.called("rescan %s", name)
	return s.fails[name]
}

// ownSockets gives the test a directory for sockets, and the zone of the golden files.
func ownSockets(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "run")
	t.Setenv("HAWSER_API", dir)
	zone := time.Local
	time.Local = time.UTC
	t.Cleanup(func() { time.Local = zone })
	return dir
}

// serve lets s answer: as the daemon, or as a process in the foreground with a volume of that name.
func (s *fakeServer) serve(t *testing.T, name string) {
	t.Helper()
	listen := api.ListenDaemon
	if name != "" {
		listen = func() (net.Listener, error) { return api.ListenVolume(name) }
	}
	ln, err := listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- api.Serve(ctx, ln, s) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func at(second int) time.Time { return time.Date(2026, 11, 3, 10, 0, second, 0, time.UTC) }

// dbVolume is a volume that is well.
func dbVolume() api.Volume {
	path := func(portal, ifc string, n uint64) api.Path {
		return api.Path{
			Path: portal + " iqn.2026-11.io.hawser:target LUN 0", Portal: portal, Target: "iqn.2026-11.io.hawser:target", Interface: ifc,
			State: "up", Since: at(1), Reads: 100 * n, Writes: 50 * n, ReadBytes: n << 20, WrittenBytes: n << 19, InFlight: 2,
			BufferAsked: 1 << 20, ReceiveBytes: 2 << 20, SendBytes: 2 << 20,
		}
	}
	return api.Volume{
		Name: "db", State: api.Up, Device: "/dev/nbd0", Identity: "naa.6000000000000000000000000000000a", Serial: "A1",
		Vendor: "HAWSER  ", Product: "RAM DISK        ", Size: 16 << 20, BlockSize: 512, Cache: true, Policy: "round_robin",
		NoPathRetry: new(300.0), Since: at(0), Paths: []api.Path{path("192.0.2.1:3260", "eth1", 2), path("192.0.2.2:3260", "", 1)},
		URLs: []string{"iscsi://192.0.2.1%eth1,192.0.2.2/iqn.2026-11.io.hawser:target/0"},
	}
}

// illVolume has everything that can be wrong with one.
func illVolume() api.Volume {
	v := dbVolume()
	v.Name, v.Device, v.State, v.Reason = "ill", "/dev/nbd1", api.NoPath, "no path is left"
	v.ReadOnly, v.Cache, v.NoPathRetry, v.Identity, v.Vendor, v.Product, v.Serial = true, false, new(-1.0), "", "EVIL\x1b[2J", "", ""
	v.Waiting, v.Held = 1, 2
	v.Errors = api.Errors{Count: 12, First: at(10), Last: at(20), Text: "medium error at 4096"}
	v.Warnings = []string{"/dev/nbd1: the scheduler could not be set to none: permission denied"}
	for i := range v.Paths {
		p := &v.Paths[i]
		p.State, p.Since, p.Reason, p.InFlight, p.Errors, p.Failovers = "down", at(30), "connection refused", 0, 3, 4
	}
	v.Paths[0].ReceiveBytes = 425984
	v.Paths[1].ReceiveBytes, v.Paths[1].SendBytes = 0, 0
	return v
}

// foregroundVolume is one that a process in the foreground has, on a socket.
func foregroundVolume() api.Volume {
	return api.Volume{
		Name: "scratch", State: api.Attaching, URI: "nbd+unix:///?socket=/run/scratch.sock", Size: 4 << 40, BlockSize: 4096, Policy: "round_robin",
		Since: at(5),
	}
}

// serveAll is a daemon with two volumes, and a process in the foreground of an older version.
func serveAll(t *testing.T) (daemon, foreground *fakeServer) {
	t.Helper()
	ownSockets(t)
	daemon = &fakeServer{
		version: api.Version{Version: thisVersion().Version, PID: 4711, Since: at(0), Daemon: true, Memory: api.Memory{
			IOFlusher: true, LockedReason: "RLIMIT_MEMLOCK is 8 MiB", OOMScore: -1000,
		}},
		volumes: []api.Volume{dbVolume(), illVolume()},
	}
	foreground = &fakeServer{
		version: api.Version{Version: "v0.0.1", PID: 4712, Since: at(5), Memory: api.Memory{
			IOFlusherReason: "CAP_SYS_RESOURCE is missing", Locked: true, OOMScoreReason: "permission denied",
		}},
		volumes: []api.Volume{foregroundVolume()},
	}
	daemon.serve(t, "")
	foreground.serve(t, "scratch")
	return daemon, foreground
}

// wantGolden runs a command that succeeds, and compares what it prints.
func wantGolden(t *testing.T, name string, args ...string) {
	t.Helper()
	status, stdout, stderr := command(t, args...)
	if status != exitDone || stderr != "" {
		t.Errorf("got status %d, stderr %q", status, stderr)
	}
	golden(t, name, stdout, map[string]string{"hawser " + thisVersion().Version: "hawser v1.0.0"})
}

// wantFailed runs a command that fails, and compares what it says.
func wantFailed(t *testing.T, name string, args ...string) {
	t.Helper()
	status, stdout, stderr := command(t, args...)
	if status != exitFailed || stdout != "" || strings.Count(stderr, "\n") != 1 {
		t.Errorf("got status %d, stdout %q, stderr %q, want status %d and one line on stderr", status, stdout, stderr, exitFailed)
	}
	golden(t, name, stderr, nil)
}

func TestViews(t *testing.T) {
	serveAll(t)
	wantGolden(t, "list", "list")
	wantGolden(t, "status", "status")
	wantGolden(t, "status_one", "status", "/dev/nbd0")
	wantGolden(t, "paths", "paths")
	wantGolden(t, "paths_one", "paths", "db")
}

func TestViewsWithoutVolumes(t *testing.T) {
	ownSockets(t)
	(&fakeServer{version: api.Version{Version: thisVersion().Version, PID: 4711, Since: at(0), Daemon: true}}).serve(t, "")
	wantGolden(t, "list_empty", "list")
	wantGolden(t, "status_empty", "status")
	for _, args := range [][]string{{"list", "--json"}, {"paths", "--json"}} {
		if _, stdout, _ := command(t, args...); stdout != "[]\n" {
			t.Errorf("%v: got %q, want an empty list", args, stdout)
		}
	}
}

// jsonOf runs a command and decodes what it prints.
func jsonOf[T any](t *testing.T, args ...string) (x T) {
	t.Helper()
	status, stdout, stderr := command(t, append(args, "--json")...)
	if err := json.Unmarshal([]byte(stdout), &x); status != exitDone || stderr != "" || err != nil {
		t.Errorf("%v: got status %d, stderr %q, %v", args, status, stderr, err)
	}
	return x
}

func TestJSON(t *testing.T) {
	daemon, foreground := serveAll(t)
	if diff := cmp.Diff(jsonOf[[]api.Volume](t, "list"), append(daemon.volumes, foreground.volumes...)); diff != "" {
		t.Errorf("list: got - want +:\n%s", diff)
	}
	got := jsonOf[[]statusOf](t, "status")
	if len(got) != 2 || filepath.Base(got[1].Socket) != "scratch.sock" {
		t.Fatalf("status: got %+v", got)
	}
	if diff := cmp.Diff(got[0].Process, daemon.version); diff != "" {
		t.Errorf("status: got - want +:\n%s", diff)
	}
	if diff := cmp.Diff(got[1].Volumes, foreground.volumes); diff != "" {
		t.Errorf("status: got - want +:\n%s", diff)
	}
	paths := jsonOf[[]pathOf](t, "paths", "db")
	if want := (pathOf{"db", "/dev/nbd0", 1, dbVolume().Paths[1]}); len(paths) != 2 || paths[1] != want {
		t.Errorf("paths: got %+v", paths)
	}
}

func TestDaemonIsNotRunning(t *testing.T) {
	ownSockets(t)
	url := "iscsi://192.0.2.1/iqn.2026-11.io.hawser:target/0"
	for _, args := range [][]string{{"list"}, {"status"}, {"status", "db"}, {"paths"}, {"rescan"}, {"detach", "db"}, {"attach", url}} {
		wantFailed(t, "daemon_not_running", args...)
	}
}

// TestForegroundAlone: a process in the foreground is seen without a daemon, but does not attach others.
func TestForegroundAlone(t *testing.T) {
	ownSockets(t)
	(&fakeServer{version: api.Version{PID: 4712}, volumes: []api.Volume{foregroundVolume()}}).serve(t, "scratch")
	wantGolden(t, "list_foreground", "list")
	wantFailed(t, "daemon_not_running", "attach", "iscsi://192.0.2.1/iqn.2026-11.io.hawser:target/0")
}

func TestNoSuchVolume(t *testing.T) {
	serveAll(t)
	for _, c := range []string{"status", "paths", "rescan", "detach"} {
		wantFailed(t, "no_such_volume", c, "nosuch")
	}
	if _, _, stderr := command(t, "detach", "/dev/nbd7/../nbd9"); !strings.Contains(stderr, "there is no volume /dev/nbd9") {
		t.Errorf("got %q", stderr)
	}
}

func TestDetach(t *testing.T) {
	daemon, foreground := serveAll(t)
	daemon.fails = map[string]error{"db": &api.Error{
		Kind: api.Busy, Text: "/dev/nbd0: in use: mounted at /srv, open by postgres (process 99)", Holders: []string{"mounted at /srv"},
	}}
	wantFailed(t, "detach_busy", "detach", "db")
	for _, args := range [][]string{{"detach", "/dev/nbd0", "--force"}, {"detach", "ill"}, {"detach", "scratch"}} {
		if status, stdout, stderr := command(t, args...); status != exitDone || stderr != "" || !strings.HasPrefix(stdout, "detached ") {
			t.Errorf("%v: got status %d, stdout %q, stderr %q", args, status, stdout, stderr)
		}
	}
	if diff := cmp.Diff(daemon.calls, []string{"detach db false", "detach db true", "detach ill false"}); diff != "" {
		t.Errorf("daemon: got - want +:\n%s", diff)
	}
	if diff := cmp.Diff(foreground.calls, []string{"detach scratch false"}); diff != "" {
		t.Errorf("foreground: got - want +:\n%s", diff)
	}
}

// TestDetachByLink names a device by a link to it.
func TestDetachByLink(t *testing.T) {
	daemon, _ := serveAll(t)
	device := filepath.Join(t.TempDir(), "nbd0")
	if err := os.WriteFile(device, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	daemon.volumes[0].Device = device
	link := filepath.Join(t.TempDir(), "db")
	if err := os.Symlink(device, link); err != nil {
		t.Fatal(err)
	}
	if status, stdout, _ := command(t, "detach", link); status != exitDone || stdout != "detached db "+device+"\n" {
		t.Errorf("got status %d, %q", status, stdout)
	}
}

// TestSameNameTwice: what is to be detached must be clear.
func TestSameNameTwice(t *testing.T) {
	daemon, foreground := serveAll(t)
	foreground.volumes[0].Name = "db"
	wantFailed(t, "same_name_twice", "detach", "db")
	if len(daemon.calls)+len(foreground.calls) != 0 {
		t.Error("something was detached")
	}
	if status, _, stderr := command(t, "detach", "/dev/nbd0"); status != exitDone {
		t.Errorf("by its device: %s", stderr)
	}
}

func TestRescan(t *testing.T) {
	daemon, foreground := serveAll(t)
	wantGolden(t, "rescan", "rescan")
	if got := append(daemon.calls, foreground.calls...); !slices.Equal(got, []string{"rescan db", "rescan ill", "rescan scratch"}) {
		t.Errorf("got %q", got)
	}
	daemon.fails = map[string]error{"db": &api.Error{Kind: api.Failed, Text: "db: no path is up"}}
	status, stdout, stderr := command(t, "rescan")
	if status != exitFailed || stderr != "hawser: db: no path is up\n" || strings.Count(stdout, "\n") != 2 {
		t.Errorf("got status %d, stdout %q, stderr %q, want the others all the same", status, stdout, stderr)
	}
}

// TestOneDoesNotAnswer shows the others, and fails.
func TestOneDoesNotAnswer(t *testing.T) {
	_, foreground := serveAll(t)
	foreground.fails = map[string]error{"": &api.Error{Kind: api.Failed, Text: "lost its mind"}}
	for _, c := range []string{"list", "status", "paths", "rescan"} {
		if status, stdout, stderr := command(t, c); status != exitFailed || !strings.Contains(stdout, "db") || stderr != "hawser: process 4712: lost its mind\n" {
			t.Errorf("%s: got status %d, stdout %q, stderr %q", c, status, stdout, stderr)
		}
	}
	if status, _, stderr := command(t, "status", "db"); status != exitDone || stderr != "" {
		t.Errorf("one that answers: got status %d, stderr %q", status, stderr)
	}
}

func TestCompletion(t *testing.T) {
	serveAll(t)
	for start, want := range map[string]string{
		"":     "db\t/dev/nbd0\nill\t/dev/nbd1\nscratch\tnbd+unix:///?socket=/run/scratch.sock\n:4\n",
		"/dev": "/dev/nbd0\tdb\n/dev/nbd1\till\n:4\n",
	} {
		for _, c := range []string{"detach", "status", "paths", "rescan"} {
			if _, stdout, _ := command(t, "__complete", c, start); stdout != want {
				t.Errorf("%s %s: got %q, want %q", c, start, stdout, want)
			}
		}
	}
}

func TestPrintable(t *testing.T) {
	if got, want := printable("a\x1b[2J\tb\r\u202e\nü"), "a?[2J?b??\nü"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
