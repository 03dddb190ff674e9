package proc

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, script string) *Process {
	t.Helper()
	p, err := Start("sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func TestReadyAndStop(t *testing.T) {
	p := start(t, "trap 'exit 0' TERM; echo warming; echo ready on 1; while :; do sleep 0.01; done")
	line, err := p.Ready(t.Context(), "ready")
	if got, want := line, "ready on 1"; err != nil || got != want {
		t.Fatalf("got %q, %v, want %q", got, err, want)
	}
	if err := p.Stop(10 * time.Second); err != nil {
		t.Error(err)
	}
}

func TestReadyOfOneThatEnds(t *testing.T) {
	p := start(t, "echo no such portal >&2; exit 1")
	_, err := p.Ready(t.Context(), "ready")
	if !errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "no such portal") {
		t.Errorf("got %v, want io.EOF with what it said on stderr", err)
	}
}

func TestStopKills(t *testing.T) {
	p := start(t, "trap '' TERM; echo ready; while :; do sleep 0.01; done")
	if _, err := p.Ready(t.Context(), "ready"); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(50 * time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want that it did not end in time", err)
	}
}

func TestRunReturnsTheStatus(t *testing.T) {
	out, err := Run(t.Context(), "sh", "-c", "echo half; echo why >&2; exit 3")
	if got, want := out, "half\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "why") {
		t.Errorf("got %v, want the status and stderr", err)
	}
}

func TestFindNamesTheRemedy(t *testing.T) {
	if _, err := Find("no-such-program"); err == nil || !strings.Contains(err.Error(), "make setup") {
		t.Errorf("got %v", err)
	}
}
