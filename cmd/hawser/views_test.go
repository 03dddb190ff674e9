package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hawser-storage/hawser/cmd/internal/api"
)

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

func TestPrintable(t *testing.T) {
	if got, want := printable("a\x1b[2J\tb\r\u202e\nü"), "a?[2J?b??\nü"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
