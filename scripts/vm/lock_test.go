package vm

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestOneVMAtATime(t *testing.T) {
	c := cache{t.TempDir()}
	first, err := c.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := c.lock(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want that the second waits", err)
	}
	first.Close()
	second, err := c.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second.Close()
}
