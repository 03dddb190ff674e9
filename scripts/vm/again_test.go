package vm

import (
	"errors"
	"testing"
	"time"
)

// TestAgain: only a panic that comes before the command is not the command's.
func TestAgain(t *testing.T) {
	panicked := &VMError{Err: ErrPanic, Console: "[ 2.5] Oops: int3: 0000 [#1]"}
	for _, c := range []struct {
		r    Result
		err  error
		n    int
		want bool
	}{
		{Result{}, panicked, 1, true},
		{Result{}, panicked, boots - 1, true},
		{Result{}, panicked, boots, false},
		{Result{Boot: time.Second}, panicked, 1, false},
		{Result{}, &VMError{Err: ErrBoot, Console: panicked.Console}, 1, false},
		{Result{}, &VMError{Err: ErrPanic, Console: "no such unit"}, 1, false},
		{Result{}, errors.New("another"), 1, false},
		{Result{}, nil, 1, false},
	} {
		if got := again(&c.r, c.err, c.n); got != c.want {
			t.Errorf("%+v after %v, boot %d: got %v", c.r, c.err, c.n, got)
		}
	}
}
