package stack

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/iscsi"
)

// nowhere is a volume whose portal nobody listens at.
func nowhere(t *testing.T) *Config {
	p := PathConfig{Portal: iscsi.Portal{Host: "127.0.0.1", Port: 1}, Target: "iqn.2026-11.io.hawser:" + t.Name()}
	log := slog.New(slog.DiscardHandler)
	return &Config{
		Paths: []PathConfig{p}, Memory: 1 << 20, Log: log,
		Session: iscsi.Config{InitiatorName: "iqn.2026-11.io.hawser:stack-test", Logger: log},
	}
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// end closes a session, and leaves the lane.
func (l *lane) end(t *testing.T, cfg *Config, s *session) {
	t.Helper()
	if s = l.drop(s); s != nil {
		l.lanes.closeAll(t.Context(), []*session{s}, cfg.Log)
	}
	if err := l.leave(cfg, true); err != nil {
		t.Error(err)
	}
}

// TestOneLaneForATarget: volumes that are attached at the same time share a lane although none has its sessions yet. On two lanes they
// would want the same session twice.
func TestOneLaneForATarget(t *testing.T) {
	cfg, ls := nowhere(t), Lanes{}
	take := must[*lane](t)
	a, b := take(ls.take(cfg)), take(ls.take(cfg))
	if a != b {
		t.Error("two lanes for one target")
	}
	for range 2 {
		if err := a.leave(cfg, true); err != nil {
			t.Error(err)
		}
	}
	if len(ls.lanes) != 0 {
		t.Errorf("%d lanes are left", len(ls.lanes))
	}
}

// TestSessionThatCouldNotStart is started by the next volume that has it.
func TestSessionThatCouldNotStart(t *testing.T) {
	cfg := nowhere(t)
	var other, ls Lanes
	take, get := must[*lane](t), must[*session](t)
	first := take(other.take(cfg))
	held := get(first.session(t.Context(), cfg, cfg.Paths[0]))
	if err := first.start(held); err != nil {
		t.Fatal(err)
	}
	l := take(ls.take(cfg))
	s := get(l.session(t.Context(), cfg, cfg.Paths[0]))
	var inUse *iscsi.SessionInUseError
	if err := l.start(s); !errors.As(err, &inUse) {
		t.Fatalf("a session that another one has: %v", err)
	}
	first.end(t, cfg, held)
	if again := get(l.session(t.Context(), cfg, cfg.Paths[0])); again != s {
		t.Error("it is not the same session")
	}
	if err := l.start(s); err != nil {
		t.Errorf("started once more: %v", err)
	}
	l.drop(s)
	l.end(t, cfg, s)
}

// TestSessionThatStillLogsOut is waited for: it has the name.
func TestSessionThatStillLogsOut(t *testing.T) {
	cfg, ls := nowhere(t), Lanes{}
	l := must[*lane](t)(ls.take(cfg))
	get := must[*session](t)
	old := get(l.session(t.Context(), cfg, cfg.Paths[0]))
	if err := l.start(old); err != nil {
		t.Fatal(err)
	}
	l.drop(old)
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := l.session(soon, cfg, cfg.Paths[0]); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a session that has not ended: %v", err)
	}
	go ls.closeAll(context.Background(), []*session{old}, cfg.Log)
	s := get(l.session(t.Context(), cfg, cfg.Paths[0]))
	if s == old {
		t.Error("it is the old session")
	}
	if err := l.start(s); err != nil {
		t.Error(err)
	}
	l.end(t, cfg, s)
}
