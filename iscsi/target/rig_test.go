package target_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/iscsi/target"
)

// rig is a target with two portals of two portal groups on loopback.
type rig struct {
	*target.Target
	loop  *loop.Loop
	addrs []string
}

// newRig starts a target. At the end of the test it must not have seen a violation, unless the test took them.
func newRig(t testing.TB, cfg target.Config, specs ...string) *rig {
	t.Helper()
	for _, s := range specs {
		cfg.LUNs = append(cfg.LUNs, lunSpec(t, s))
	}
	l, err := loop.New(loop.Config{})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- l.Run() }()
	tg, err := target.New(l, cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{Target: tg, loop: l}
	served := make(chan error, 2)
	for tag := range uint16(2) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		r.addrs = append(r.addrs, ln.Addr().String())
		go func() { served <- tg.Serve(ln, tag+1) }()
		for len(tg.Faults().Portals()) != int(tag)+1 {
			time.Sleep(time.Millisecond) // Serve tells nobody
		}
	}
	t.Cleanup(func() { r.end(t, served, ended) })
	return r
}

func (r *rig) end(t testing.TB, served, ended chan error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := r.Close(ctx); err != nil {
		t.Errorf("Close: %v", err)
	}
	for range r.addrs {
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	}
	r.loop.Stop()
	if err := <-ended; err != nil {
		t.Errorf("loop: %v", err)
	}
}

// clean fails the test if the initiator broke a rule.
func (r *rig) clean(t testing.TB) {
	t.Helper()
	if n, last := r.Violations(); n != 0 {
		t.Errorf("%d violations: %v", n, last)
	}
}

func lunSpec(t testing.TB, s string) target.LUN {
	t.Helper()
	l, err := target.ParseLUN(s)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// eventually waits for what no event tells.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not happen", what)
		}
	}
}
