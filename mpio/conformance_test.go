package mpio_test

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/blocktest"
	"github.com/hawser-storage/hawser/blockdev/faultdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/blockdev/memdev"
	"github.com/hawser-storage/hawser/mpio"
)

var (
	quiet    = slog.New(slog.NewTextHandler(io.Discard, nil))
	identity = blockdev.Identity{ID: "naa.60014055555", Serial: "S5", Vendor: "HAWSER", Product: "RAM"}
)

// wire is a path that is a device with faults, in front of a disk that it shares with the other paths.
type wire struct {
	*faultdev.Device
	name string
}

func (p *wire) String() string       { return p.name }
func (p *wire) Watch(w mpio.Watcher) { w.PathUp(p.Info()) }
func wires(l *loop.Loop, disk blockdev.Device, n int) (ps []*wire) {
	for i := range n {
		ps = append(ps, &wire{faultdev.New(l, disk, uint64(i)), string(rune('A' + i))})
	}
	return ps
}

func volume(t testing.TB, l *loop.Loop, cfg mpio.Config, ps ...*wire) *mpio.Device {
	t.Helper()
	cfg.Name, cfg.Logger = "vol", quiet
	var paths []mpio.Path
	for _, p := range ps {
		paths = append(paths, p)
	}
	d, err := mpio.New(l, cfg, paths...)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.WaitReady(context.Background()); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestConformance runs the list over volumes whose paths behave, and over some whose paths do not.
func TestConformance(t *testing.T) {
	busy := &blockdev.Error{Outcome: blockdev.Failed, SCSI: blockdev.SCSIStatus{Valid: true, Status: 0x08}}
	attention := &blockdev.Error{Outcome: blockdev.Failed, SCSI: blockdev.SCSIStatus{Valid: true, Status: 2, HasSense: true, Key: 6, ASC: 0x28}}
	notSent := &blockdev.Error{Outcome: blockdev.NotSent, Code: blockdev.CodeTransport}
	for name, tt := range map[string]struct {
		paths int
		rules []faultdev.Rule
	}{
		"one path":    {1, nil},
		"two paths":   {2, nil},
		"eight paths": {8, nil},
		"faults": {3, []faultdev.Rule{
			{Action: faultdev.Lose, Probability: 0.02},
			{Action: faultdev.Tear, Probability: 0.02},
			{Action: faultdev.Fail, Probability: 0.02, Err: notSent},
			{Action: faultdev.Fail, Probability: 0.02, Err: busy},
			{Action: faultdev.Fail, Probability: 0.02, Err: attention},
			{Action: faultdev.Reorder, Probability: 0.2},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			blocktest.Run(t, func(t *testing.T) *blocktest.Fixture {
				arena := blocktest.NewArena(t, 128<<20)
				l := blocktest.NewLoop(t)
				disk := memdev.New(l, memdev.Config{Size: 64 << 20, BlockSize: 512, WriteCache: true, FUA: true, Identity: identity})
				ps := wires(l, disk, tt.paths)
				for _, p := range ps {
					for _, r := range tt.rules {
						p.Add(r)
					}
				}
				return &blocktest.Fixture{Dev: volume(t, l, mpio.Config{FenceTimeout: time.Millisecond}, ps...), Loop: l, Arena: arena, Checks: tt.rules == nil, Zeroed: true}
			})
		})
	}
}

// TestStalledPathDelaysNobody stalls one path for good: what goes by the other one goes on, and Close ends with its context.
func TestStalledPathDelaysNobody(t *testing.T) {
	l := blocktest.NewLoop(t)
	disk := memdev.New(l, memdev.Config{Size: 1 << 20, Identity: identity})
	ps := wires(l, disk, 2)
	ps[0].Add(faultdev.Rule{Action: faultdev.Stall, Count: 1})
	d := volume(t, l, mpio.Config{}, ps...)
	front := blocktest.NewDeviceFront(d, l, nil)
	gave := make(chan error, 1)
	var ios [20]blocktest.IO
	done := 0
	go func() {
		gave <- front.Run(func(start func(*blocktest.IO)) {
			next := func(*blocktest.IO) {
				if done++; done == 10 { // as many as may come back
					go func() {
						ctx, cancel := context.WithCancel(context.Background())
						cancel()
						gave <- d.Close(ctx)
					}()
				}
			}
			for i := range ios {
				ios[i] = blocktest.IO{Op: blockdev.Read, Data: make([]byte, 512), Done: next}
				start(&ios[i])
			}
		})
	}()
	closed, ran := <-gave, <-gave
	if closed == nil && ran == nil {
		t.Error("Close with a stalled request returned no error")
	}
	failed := 0
	for i := range ios {
		if ios[i].Err != nil {
			failed++
		}
	}
	if failed != 1 {
		t.Errorf("%d requests failed, want the stalled one alone", failed)
	}
}
