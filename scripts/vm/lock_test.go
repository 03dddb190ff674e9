package vm

import (
	"context"
	"errors"
	"testing"
	"time"
)

// taking takes a turn.
func (c cache) taking(t *testing.T, alone bool) turn {
	t.Helper()
	got, err := c.lock(t.Context(), alone)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// waiting fails the test if there is a turn to be had.
func (c cache) waiting(t *testing.T, alone bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := c.lock(ctx, alone); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want to wait", err)
	}
}

// TestTurns: there are so many places, which one alone has all of.
func TestTurns(t *testing.T) {
	before := places
	t.Cleanup(func() { places = before })
	places = 2
	c := cache{t.TempDir()}
	first, second := c.taking(t, false), c.taking(t, false)
	c.waiting(t, false)
	first.end()
	c.waiting(t, true)
	c.taking(t, false).end() // what has waited in vain has left nothing
	second.end()
	alone := c.taking(t, true)
	c.waiting(t, false)
	c.waiting(t, true)
	alone.end()
	c.taking(t, false).end()
}
