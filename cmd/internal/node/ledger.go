package node

import (
	"fmt"
	"sync"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/cmd/internal/api"
)

// ledger counts the requests that failed at a device. Notes are taken on the loop; who keeps them is told, and asks when he has time.
type ledger struct {
	mu      sync.Mutex // held for moments only
	errors  api.Errors
	changed chan struct{} // has one element when there is something new
}

func newLedger(before api.Errors) *ledger {
	return &ledger{errors: before, changed: make(chan struct{}, 1)}
}

// note counts one. A reservation conflict, a dead path and a broken block all are "a broken disk" to the host.
func (l *ledger) note(op blockdev.Op, err error) {
	now := time.Now()
	l.mu.Lock()
	l.errors.Count++
	if l.errors.First.IsZero() {
		l.errors.First = now
	}
	l.errors.Last = now
	l.errors.Text = fmt.Sprintf("%v: %v", op, err)
	l.mu.Unlock()
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

func (l *ledger) read() api.Errors {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.errors
}
