package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hawser-storage/hawser/cmd/internal/api"
)

const testURL = "iscsi://192.0.2.1,192.0.2.2/iqn.2026-11.io.hawser:target/0"

func TestAttachByDaemon(t *testing.T) {
	daemon, _ := serveAll(t)
	status, stdout, stderr := command(t, "attach", testURL)
	if want := "ready /dev/nbd0 size 16777216 (16 MiB) paths 2/2 name target-0\n"; status != exitDone || stdout != want || stderr != "" {
		t.Errorf("got status %d, stdout %q, stderr %q, want %q", status, stdout, stderr, want)
	}
	want := api.AttachRequest{Name: "target-0", URLs: []string{testURL}, Device: "auto"}
	if diff := cmp.Diff(daemon.asked, want); diff != "" {
		t.Errorf("asked: got - want +:\n%s", diff)
	}
}

// TestAttachAsks has every flag.
func TestAttachAsks(t *testing.T) {
	daemon, _ := serveAll(t)
	status, _, stderr := command(t, "attach", "--name", "db2", "--device", "/dev/nbd5", "--once", "--initiator", testInitiator,
		"--no-path-retry", "queue", "--fence-timeout", "90", "--dead-conn-timeout", "2m", "--login-timeout", "500ms", "--noop-out-interval", "7",
		"--noop-out-timeout", "8", "--socket-buffer", "auto", "--header-digest", "CRC32C,None", "--data-digest", "None", "--initial-r2t", "yes",
		"--immediate-data", "no", "--cmds-max", "64", "--memory", "64M", testURL)
	if status != exitDone {
		t.Fatal(stderr)
	}
	want := api.AttachRequest{
		Name: "db2", URLs: []string{testURL}, Device: "/dev/nbd5", Once: true,
		Options: api.Options{
			Initiator: testInitiator, NoPathRetry: new(-1.0), FenceTimeout: 90, DeadConnTimeout: 120, LoginTimeout: 0.5, NOOPInterval: 7, NOOPTimeout: 8,
			SocketBuffer: -1, HeaderDigest: []string{"CRC32C", "None"}, DataDigest: []string{"None"}, InitialR2T: "yes", ImmediateData: "no",
			CmdsMax: 64, Memory: 64 << 20,
		},
	}
	if diff := cmp.Diff(daemon.asked, want); diff != "" {
		t.Errorf("asked: got - want +:\n%s", diff)
	}
	if _, _, stderr := command(t, "attach", "--no-path-retry", "fail", testURL); stderr != "" || *daemon.asked.Options.NoPathRetry != 0 {
		t.Errorf("no-path-retry fail: got %v, %s", daemon.asked.Options.NoPathRetry, stderr)
	}
}

func TestAttachFails(t *testing.T) {
	daemon, _ := serveAll(t)
	daemon.fails = map[string]error{
		"taken":    &api.Error{Kind: api.Exists, Text: "there is a volume taken already (/dev/nbd0): detach it, or give --name"},
		"busy":     &api.Error{Kind: api.Busy, Text: "/dev/nbd0: in use: mounted at /srv", Holders: []string{"mounted at /srv"}},
		"nowhere":  &api.Error{Kind: api.Failed, Text: "cannot attach nowhere: 192.0.2.1:3260: connection refused: start the target\nor\x1b so"},
		"nonsense": &api.Error{Kind: api.Usage, Text: "initiator: that is no name"},
	}
	wantFailed(t, "attach_name_taken", "attach", "--name", "taken", testURL)
	wantFailed(t, "attach_device_busy", "attach", "--name", "busy", testURL)
	wantFailed(t, "attach_no_path", "attach", "--name", "nowhere", testURL)
	if status, _, stderr := command(t, "attach", "--name", "nonsense", testURL); status != exitUsage || !strings.Contains(stderr, "that is no name") {
		t.Errorf("got status %d, %q, want status %d", status, stderr, exitUsage)
	}
}

// TestOldDaemon does not know what is asked of it.
func TestOldDaemon(t *testing.T) {
	daemon, _ := serveAll(t)
	daemon.version.Version = "v0.0.1"
	daemon.fails = map[string]error{"db2": &api.Error{Kind: api.Usage, Text: `the request is not understood: unknown field "colour"`}}
	status, _, stderr := command(t, "attach", "--name", "db2", testURL)
	if want := `unknown field "colour"; daemon is hawser v0.0.1, this command is hawser `; status != exitUsage || !strings.Contains(stderr, want) {
		t.Errorf("got status %d, %q, want %q in it", status, stderr, want)
	}
}

// TestAttachUsage is refused without a word to the daemon.
func TestAttachUsage(t *testing.T) {
	daemon, _ := serveAll(t)
	for name, args := range map[string][]string{
		"no volume":          {"attach"},
		"no URL":             {"attach", "db"},
		"bad name":           {"attach", "--name", "a/b", testURL},
		"the daemon's name":  {"attach", "--name", "hawser", testURL},
		"bad device":         {"attach", "--device", "/dev/sda", testURL},
		"bad initiator":      {"attach", "--initiator", "me", testURL},
		"bad commands":       {"attach", "--cmds-max", "0", testURL},
		"log of nobody":      {"attach", "--log-level", "debug", testURL},
		"detach nothing":     {"detach"},
		"detach two":         {"detach", "a", "b"},
		"detach an empty":    {"detach", ""},
		"status of two":      {"status", "a", "b"},
		"list with argument": {"list", "a"},
	} {
		t.Run(name, func(t *testing.T) {
			status, stdout, stderr := command(t, args...)
			if status != exitUsage || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "--help") {
				t.Errorf("got status %d, stdout %q, stderr %q, want status %d and one line with advice", status, stdout, stderr, exitUsage)
			}
		})
	}
	if len(daemon.calls) != 0 {
		t.Errorf("asked the daemon: %q", daemon.calls)
	}
}

// lines gives each line that is written to whoever waits.
type lines chan string

func (l lines) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}

// TestProgress tells each change once.
func TestProgress(t *testing.T) {
	v := illVolume()
	v.State = api.Attaching
	s := &fakeServer{volumes: []api.Volume{v}}
	ctx, cancel := context.WithCancel(t.Context())
	out := make(lines)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tellProgress(ctx, s, "ill", out, time.Millisecond)
	}()
	for i, want := range []string{
		"attaching ill: 0/2 paths are up; 192.0.2.1:3260 connection refused; 192.0.2.2:3260 connection refused\n",
		"attaching ill: 1/2 paths are up; 192.0.2.1:3260 connection refused\n",
	} {
		if got := <-out; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		paths := dbVolume().Paths
		paths[0].State, paths[0].Reason = "down", "connection refused"
		s.mu.Lock()
		s.volumes[0].Paths = paths
		if i == 1 {
			s.volumes[0].State = api.Up
		}
		s.mu.Unlock()
	}
	cancel()
	<-done
}

// TestIsTerminal takes a file and /dev/null for what they are: nobody looks.
func TestIsTerminal(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if isTerminal(null) || isTerminal(&lockedWriter{w: null}) || isTerminal(&strings.Builder{}) {
		t.Error("taken for a terminal")
	}
}
