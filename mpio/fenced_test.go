package mpio

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hawser-storage/hawser/blockdev"
)

// liveOrphan is a volume on which a WRITE to 8192+4096 was lost with the path that is returned, and was completed by the other one.
func liveOrphan(t *testing.T) (g *live, lost *fakePath) {
	t.Helper()
	g = newLive(t, 2, Config{FenceTimeout: time.Hour})
	var c *call
	g.on(func() {
		for _, p := range g.paths {
			p.up(testInfo())
			p.hold = true
		}
		c = g.submit(blockdev.Write, 8192, 4096)
	})
	g.on(func() {
		lost = g.paths[0]
		other := g.paths[1]
		if len(lost.pend) == 0 {
			lost, other = other, lost
		}
		other.hold = false
		lost.down()
	})
	g.on(func() { g.wantOK(c) })
	return g, lost
}

func TestWaitFenced(t *testing.T) {
	g, lost := liveOrphan(t)
	var left *UnfencedError
	if err := g.dev.WaitFenced(ended()); !errors.As(err, &left) || !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want an *UnfencedError for context.Canceled", err)
	}
	want := []Extent{{8192, 4096}}
	if diff := cmp.Diff(want, left.Extents); diff != "" || left.Whole || left.Within <= 59*time.Minute {
		t.Errorf("within %v, whole %v, extents (-want +got):\n%s", left.Within, left.Whole, diff)
	}
	if !strings.Contains(left.Error(), " 8192+4096: let nobody write there for the next 1h0m0s") {
		t.Errorf("says %q", left)
	}
	done := make(chan error, 1)
	go func() { done <- g.dev.WaitFenced(t.Context()) }()
	for waits := false; !waits; {
		g.on(func() { waits = len(g.dev.quarantine.empty) > 0 })
	}
	g.on(func() { lost.up(testInfo()) })
	if err := <-done; err != nil {
		t.Errorf("after the fence: %v", err)
	}
	if err := g.dev.WaitFenced(ended()); err != nil {
		t.Errorf("with nothing to wait for: %v", err)
	}
}

// TestWaitFencedEndsWithTheVolume: whoever waits is told of what is left when the volume is closed.
func TestWaitFencedEndsWithTheVolume(t *testing.T) {
	g, _ := liveOrphan(t)
	done := make(chan error, 1)
	go func() { done <- g.dev.WaitFenced(t.Context()) }()
	for waits := false; !waits; {
		g.on(func() { waits = len(g.dev.quarantine.empty) > 0 })
	}
	if err := g.dev.Close(t.Context()); err != nil {
		t.Error(err)
	}
	var left *UnfencedError
	if err := <-done; !errors.As(err, &left) {
		t.Errorf("got %v, want an *UnfencedError", err)
	}
}

func TestWaitFencedInherited(t *testing.T) {
	g := newLive(t, 2, Config{Inherited: true})
	var left *UnfencedError
	if err := g.dev.WaitFenced(ended()); !errors.As(err, &left) || !left.Whole || !strings.Contains(left.Error(), "anywhere") {
		t.Errorf("got %v", err)
	}
	g.on(func() {
		for _, p := range g.paths {
			p.up(testInfo())
		}
	})
	if err := g.dev.WaitFenced(t.Context()); err != nil {
		t.Error(err)
	}
}
