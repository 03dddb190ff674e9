package proc

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
)

// An Output collects what a program writes and wakes who waits for a line of it.
type Output struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{} // closed and renewed at every write
	closed  bool
}

func newOutput() *Output { return &Output{changed: make(chan struct{})} }

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.wake()
	return o.text.Write(p)
}

// String returns all that was written so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (o *Output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.wake()
}

// wake is called with mu held.
func (o *Output) wake() {
	close(o.changed)
	o.changed = make(chan struct{})
}

// line waits for a whole line that begins with prefix; the program's end without one is io.EOF.
func (o *Output) line(ctx context.Context, prefix string) (string, error) {
	for {
		o.mu.Lock()
		text, changed, closed := o.text.String(), o.changed, o.closed
		o.mu.Unlock()
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, prefix) && (closed || strings.HasSuffix(line, "\n")) {
				return strings.TrimSuffix(line, "\n"), nil
			}
		}
		if closed {
			return "", io.EOF
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}
