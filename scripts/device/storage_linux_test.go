//go:build vm

package device

import (
	"context"
	"fmt"
	"log/slog"
	"net"

	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/iscsi/target"
	"github.com/hawser-storage/hawser/scripts/relay"
)

const iqn = "iqn.2026-11.io.hawser:target"

// The two portals of a storage.
var portals = []string{"127.0.0.1:3260", "127.0.0.2:3260"}

// storage is what the volumes of a host lie on: the embedded target, or the kernel's. A portal is an index of portals.
type storage interface {
	cut(portal int, how relay.Mode) // relay.Open ends it
	carried(portal int) uint64      // bytes, in both directions
	tally() tally                   // of LUN 0
	blame() error                   // for what the initiator must not have done
}

// tally is what a LUN was asked, and what it takes.
type tally struct {
	syncs     uint64 // what makes data durable
	unmaps    uint64
	allocated int64 // bytes; 0 if that is not known
}

// cuts are the ways in which a portal goes away.
var cuts = map[string]relay.Mode{"reset": relay.Reset, "silence": relay.Silent}

// embedded is a target in this process.
type embedded struct{ *target.Target }

func (e embedded) cut(portal int, how relay.Mode) {
	faults, addr := e.Faults(), portals[portal]
	switch how {
	case relay.Open:
		faults.Up(addr)
	case relay.Reset:
		faults.Down(addr, true)
	case relay.Silent:
		faults.Stall(addr)
	}
}

func (e embedded) carried(portal int) (n uint64) {
	for _, p := range e.Snapshot().Portals { // in the order in which they happened to be served
		if p.Portal == portals[portal] {
			n = p.ReadBytes + p.WroteBytes
		}
	}
	return n
}

func (e embedded) tally() tally {
	l := e.Snapshot().LUNs[0]
	return tally{syncs: l.Syncs + l.FUAWrites, unmaps: l.Unmaps}
}

func (e embedded) blame() error {
	if n, last := e.Violations(); n != 0 {
		return fmt.Errorf("the initiator broke the protocol %d times: %v", n, last)
	}
	return nil
}

// startTarget serves LUNs at both portals until the end of the test.
func (h *host) startTarget(luns ...string) {
	t := h.t
	t.Helper()
	cfg := target.Config{IQN: iqn, Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))}
	for _, s := range luns {
		lun, err := target.ParseLUN(s)
		if err != nil {
			t.Fatal(err)
		}
		cfg.LUNs = append(cfg.LUNs, lun)
	}
	l, err := loop.New(loop.Config{})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- l.Run() }()
	if h.target, err = target.New(l, cfg); err != nil {
		t.Fatal(err)
	}
	h.storage = embedded{h.target}
	for i, addr := range portals {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = h.target.Serve(ln, uint16(i+1)) }()
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := h.target.Close(ctx); err != nil {
			t.Errorf("target: %v", err)
		}
		l.Stop()
		if err := <-ended; err != nil {
			t.Errorf("target's loop: %v", err)
		}
	})
}
