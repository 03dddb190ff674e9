package kernel

import (
	"context"
	"time"
)

// await does what may wait in the kernel, where no signal reaches it, and lets its caller go when ctx ends. It is done in any case, so
// that it can clean up after itself; what comes of it later, if it did succeed, is for late to clear away.
func await[T any](ctx context.Context, do func() (T, error), late func(T)) (T, error) {
	type result struct {
		v   T
		err error
	}
	done := make(chan result)
	go func() {
		v, err := do()
		select {
		case done <- result{v, err}:
		case <-ctx.Done():
			if err == nil && late != nil {
				late(v)
			}
		}
	}()
	select {
	case r := <-done:
		return r.v, r.err
	case <-ctx.Done():
		var none T
		return none, &StuckError{Err: context.Cause(ctx)}
	}
}

// poll asks again and again until the answer is yes, and says whether it ever was before ctx ended.
func poll(ctx context.Context, yes func() bool) bool {
	const most = 50 * time.Millisecond
	for pause := time.Millisecond; ; pause = min(2*pause, most) {
		if yes() {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pause):
		}
	}
}
