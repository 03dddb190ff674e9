package main

import (
	"context"
	"io"
	"log/slog"
	"sync"

	"github.com/spf13/pflag"
)

// logFlags say what is logged on stderr.
type logFlags struct{ level, format string }

func (f *logFlags) register(fs *pflag.FlagSet, level string) {
	fs.StringVar(&f.level, "log-level", level, "log from this `LEVEL` on: debug, info, warn, error")
	fs.StringVar(&f.format, "log-format", "text", "the log's `FORM`: text, json")
}

func (f *logFlags) handler(w io.Writer) (slog.Handler, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.level)); err != nil {
		return nil, usagef("--log-level %s: want debug, info, warn or error", f.level)
	}
	opts := &slog.HandlerOptions{Level: level}
	switch f.format {
	case "text":
		return slog.NewTextHandler(w, opts), nil
	case "json":
		return slog.NewJSONHandler(w, opts), nil
	}
	return nil, usagef("--log-format %s: want text or json", f.format)
}

// heldLog keeps what is logged until it is known whether it matters: a start that fails is told in one line, not in the log of
// each attempt.
type heldLog struct {
	slog.Handler
	held *heldRecords
}

type heldRecords struct {
	mu       sync.Mutex
	released bool
	records  []heldRecord
}

type heldRecord struct {
	handler slog.Handler
	record  slog.Record
}

// maxHeld bounds what is kept; what comes later is logged at once.
const maxHeld = 1000

func holdLog(h slog.Handler) *heldLog { return &heldLog{h, &heldRecords{}} }

func (h *heldLog) Handle(ctx context.Context, r slog.Record) error {
	if h.held.keep(h.Handler, r) {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

func (h *heldLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &heldLog{h.Handler.WithAttrs(attrs), h.held}
}

func (h *heldLog) WithGroup(name string) slog.Handler {
	return &heldLog{h.Handler.WithGroup(name), h.held}
}

func (k *heldRecords) keep(h slog.Handler, r slog.Record) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.released || len(k.records) == maxHeld {
		return false
	}
	k.records = append(k.records, heldRecord{h, r.Clone()})
	return true
}

// release logs what was kept, and keeps no more.
func (h *heldLog) release() {
	k := h.held
	k.mu.Lock()
	defer k.mu.Unlock()
	k.released = true
	for _, r := range k.records {
		_ = r.handler.Handle(context.Background(), r.record)
	}
	k.records = nil
}

// lockedWriter lets the log and the tables share stderr.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}
