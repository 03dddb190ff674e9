package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hawser-storage/hawser/cmd/internal/api"
)

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
	serveAll(t)
	link := filepath.Join(t.TempDir(), "db")
	if err := os.Symlink("/dev/nbd0", link); err != nil {
		t.Fatal(err)
	}
	if status, stdout, _ := command(t, "detach", link); status != exitDone || stdout != "detached db /dev/nbd0\n" {
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
