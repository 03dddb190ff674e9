package mpio

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

// TestTransitions checks the table against the diagram's rules.
func TestTransitions(t *testing.T) {
	for from := range State(numStates) {
		for to := range State(numStates) {
			want := from != to && from != StateClosed
			switch {
			case to == StateFailed:
				want = from == StateUp
			case from == StateDisabled:
				want = to == StateDown || to == StateClosed
			}
			if got := from.mayBecome(to); got != want {
				t.Errorf("%v to %v: got %v, want %v", from, to, got, want)
			}
		}
	}
}

// TestOneLinePerChange counts log lines, and finds the reason in them.
func TestOneLinePerChange(t *testing.T) {
	var out bytes.Buffer
	g := newRig(t, 2, Config{Logger: slog.New(slog.NewTextHandler(&out, nil))})
	out.Reset()
	g.paths[0].down()
	g.paths[0].w.PathDown(errors.New("still refused"))
	g.paths[0].w.PathDown(errors.New("still refused"))
	g.wantOK(g.writeNow(), g.readNow())
	got := out.String()
	if n := strings.Count(got, "\n"); n != 1 {
		t.Errorf("%d lines, want one:\n%s", n, got)
	}
	for _, want := range []string{"volume=vol", "path=path0", "from=up", "to=down", errCut.Error()} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in %s", want, got)
		}
	}
	if err := g.dev.members[0].reason; err.Error() != "still refused" {
		t.Errorf("the newer reason is lost: got %v", err)
	}
}

func TestIllegalTransitionIsNotMade(t *testing.T) {
	g := newRig(t, 1, Config{})
	m := g.dev.members[0]
	m.become(StateClosed, nil)
	if m.become(StateUp, nil) || m.state != StateClosed {
		t.Errorf("a closed path became %v", m.state)
	}
	m.PathUp(testInfo())
	m.PathDown(errCut)
	if m.state != StateClosed {
		t.Errorf("an event made a closed path %v", m.state)
	}
}
