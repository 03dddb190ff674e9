package vm

import (
	"context"
	"time"
)

// The limits of what is not the command's.
const (
	bootTime     = 5 * time.Minute
	powerOffTime = 10 * time.Second // from the command's end, where nothing else is to be done
)

// A limit is how long the present stage of a VM may last. It is set by one goroutine at a time.
type limit struct {
	kill  context.CancelCauseFunc
	timer *time.Timer
}

// withLimit returns a context that is done when the stage has lasted too long.
func withLimit(ctx context.Context, d time.Duration, cause error) (context.Context, *limit) {
	ctx, kill := context.WithCancelCause(ctx)
	l := &limit{kill: kill}
	l.timer = time.AfterFunc(d, func() { kill(cause) })
	return ctx, l
}

// set begins the next stage.
func (l *limit) set(d time.Duration, cause error) {
	l.timer.Stop()
	l.timer = time.AfterFunc(d, func() { l.kill(cause) })
}

func (l *limit) stop() {
	l.timer.Stop()
	l.kill(nil)
}
