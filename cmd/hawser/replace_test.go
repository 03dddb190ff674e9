package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/cmd/internal/api"
)

func startDaemon(t *testing.T, state string, args ...string) *process {
	t.Helper()
	return start(t, append([]string{"daemon", "--initiator", testInitiator, "--state", state}, args...)...)
}

// TestReplace: a second daemon is refused, with a status of its own, until it is told to replace the first.
func TestReplace(t *testing.T) {
	ownSockets(t)
	state := filepath.Join(t.TempDir(), "state.db")
	first := startDaemon(t, state, "--drain-timeout", "2m")
	first.stdout.wait(t, "ready")
	d, err := api.DialDaemon(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Version().DrainTimeout; got != 120 {
		t.Errorf("the daemon tells a drain timeout of %v s, want 120", got)
	}
	refused := startDaemon(t, state)
	refused.stderr.wait(t, "the daemon is running already")
	refused.wantExit(exitRunning)
	second := startDaemon(t, state, "--replace")
	second.stdout.wait(t, "ready")
	first.wantExit(exitDone)
}

// TestStoreOfAnother: who is told to end while he waits for the store does so.
func TestStoreOfAnother(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state.db")
	ownSockets(t)
	startDaemon(t, state).stdout.wait(t, "ready")
	ownSockets(t)
	second := startDaemon(t, state)
	second.stderr.wait(t, "waiting for the store")
	if err := second.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	second.stderr.wait(t, "another process has it")
	second.wantExit(exitFailed)
}

// sleeper starts a process whose parent does not wait for it: when it ends, its number stays.
func sleeper(t *testing.T, script string) int {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
	})
	if _, err := io.ReadFull(out, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid
}

func TestEndProcess(t *testing.T) {
	pid := sleeper(t, "echo; exec sleep 1000")
	for range 2 { // and one that has ended
		if err := endProcess(t.Context(), pid); err != nil {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, errors.New("no patience"))
	defer cancel()
	if err := endProcess(ctx, sleeper(t, "trap '' TERM; echo; exec sleep 1000")); !errors.Is(err, context.Cause(ctx)) {
		t.Errorf("got %v, want %v", err, context.Cause(ctx))
	}
}

// TestReplaceTakesLong says for what it waits, and for how long.
func TestReplaceTakesLong(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	told := lines(make(chan string, 1))
	replaced := make(chan error, 1)
	old := api.Version{PID: sleeper(t, "trap '' TERM; echo; exec sleep 1000"), DrainTimeout: 90}
	go func() { replaced <- replace(ctx, old, slog.New(slog.NewTextHandler(told, nil))) }()
	if got, want := <-told, fmt.Sprintf(`msg="waiting for the daemon that is running to end" process=%d at_most=2m0s`, old.PID); !strings.Contains(got, want) {
		t.Errorf("got %q, want %q in it", got, want)
	}
	gaveUp := errors.New("no patience")
	cancel(gaveUp)
	if err := <-replaced; !errors.Is(err, gaveUp) {
		t.Errorf("got %v, want %v", err, gaveUp)
	}
}

func TestInService(t *testing.T) {
	for groups, want := range map[string]bool{
		"0::/system.slice/hawser.service\n":                                         true,
		"3:cpu:/\n1:name=systemd:/system.slice/hawser.service\n0::/\n":              true,
		"0::/user.slice/user-0.slice/session-3.scope\n":                             false,
		"0::/system.slice/system-hawser.slice/hawser@vol1.service\n":                false,
		"0::/system.slice/ssh.service\n":                                            false,
		"0::/system.slice/hawser.service/below\n0::/system.slice/nohawser.service ": false,
		"": false,
	} {
		if got := inService(groups); got != want {
			t.Errorf("%q: got %v, want %v", groups, got, want)
		}
	}
	if isService(os.Getpid()) {
		t.Error("this process is taken for a service")
	}
}

// TestUnitKnowsStatus: systemd does not start a daemon again and again while there is another.
func TestUnitKnowsStatus(t *testing.T) {
	unit, err := os.ReadFile("../../scripts/packaging/systemd/" + service)
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Appendf(nil, "\nRestartPreventExitStatus=%d\n", exitRunning); !bytes.Contains(unit, want) {
		t.Errorf("%s does not say %q", service, want)
	}
}
