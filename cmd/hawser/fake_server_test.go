package main

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

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
		if v.Name == name || v.Device == name {
			return v, nil
		}
	}
	return api.Volume{}, &api.Error{Kind: api.NotFound, Text: "there is no volume " + name}
}

func (s *fakeServer) Release(context.Context) error { return nil }

func (s *fakeServer) Rescan(_ context.Context, name string) error {
	s.called("rescan %s", name)
	return s.fails[name]
}

// The zone of the golden files.
func init() { time.Local = time.UTC }

// ownSockets gives the test a directory for sockets.
func ownSockets(t *testing.T) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "run")
	t.Setenv("HAWSER_API", dir)
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
