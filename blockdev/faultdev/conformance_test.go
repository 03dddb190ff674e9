package faultdev_test

import (
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/blocktest"
	"github.com/hawser-storage/hawser/blockdev/faultdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/blockdev/loop/sim"
	"github.com/hawser-storage/hawser/blockdev/memdev"
)

// Faults that change no outcome.
var (
	late     = faultdev.Rule{Action: faultdev.Delay, Jitter: 300 * time.Microsecond, Probability: 0.1}
	early    = faultdev.Rule{Action: faultdev.Delay, Jitter: 300 * time.Microsecond, Probability: 0.1, Before: true}
	shuffled = faultdev.Rule{Action: faultdev.Reorder, Probability: 0.7}
	dealt    = faultdev.Rule{Action: faultdev.Reorder, Probability: 0.7, Before: true}
)

// TestConformance: faults that change no outcome must not show.
func TestConformance(t *testing.T) {
	for name, rules := range map[string][]faultdev.Rule{
		"none": nil, "delay": {late, early}, "reorder": {shuffled}, "reorder-before": {dealt},
	} {
		t.Run(name, func(t *testing.T) { conform(t, rules, false) })
		t.Run(name+"-arena", func(t *testing.T) { conform(t, rules, true) })
	}
}

func conform(t *testing.T, rules []faultdev.Rule, copies bool) {
	blocktest.Run(t, func(t *testing.T) *blocktest.Fixture {
		f := faulty(blocktest.NewArena(t, 256<<20), blocktest.NewLoop(t), rules, copies)
		f.Model.Ops = 800 // a delay takes a millisecond of real time
		return f
	})
}

// TestConformanceInASimulation has all of them at once, in virtual time.
func TestConformanceInASimulation(t *testing.T) {
	sim.Each(t, 3, func(t *testing.T, w *sim.World) {
		blocktest.Run(t, func(t *testing.T) *blocktest.Fixture {
			f := faulty(blocktest.NewArena(t, 256<<20), w.NewLoop(loop.Config{}), []faultdev.Rule{late, shuffled, early, dealt}, true)
			f.Do = func(fn func()) {
				if err := w.Do(fn); err != nil {
					t.Error(err)
				}
			}
			return f
		})
	})
}

func faulty(arena *blockdev.Arena, l *loop.Loop, rules []faultdev.Rule, copies bool) *blocktest.Fixture {
	cfg := memdev.Config{Size: 16 << 20, FUA: true}
	if copies {
		cfg.Arena = arena
	}
	dev := faultdev.New(l, memdev.New(l, cfg), 1)
	for _, r := range rules {
		dev.Add(r)
	}
	return &blocktest.Fixture{Dev: dev, Loop: l, Arena: arena, Checks: true, Zeroed: true}
}

// TestModelWithErrors runs the model over faults that change outcomes.
func TestModelWithErrors(t *testing.T) {
	fail := func(o blockdev.Outcome) faultdev.Rule {
		return faultdev.Rule{Action: faultdev.Fail, Probability: 0.05, Err: &blockdev.Error{Outcome: o, Code: blockdev.CodeTransport}}
	}
	reorder := faultdev.Rule{Action: faultdev.Reorder, Probability: 0.8}
	for name, tt := range map[string]struct {
		late  bool
		rules []faultdev.Rule
	}{
		"fail": {false, []faultdev.Rule{fail(blockdev.NotSent), fail(blockdev.Failed), fail(blockdev.Unknown), reorder}},
		"tear": {false, []faultdev.Rule{{Action: faultdev.Tear, Probability: 0.1}, reorder}},
		"lose": {false, []faultdev.Rule{{Action: faultdev.Lose, Probability: 0.1}, reorder}},
		"ghost": {true, []faultdev.Rule{
			{Action: faultdev.Ghost, Probability: 0.05, Jitter: time.Millisecond}, {Action: faultdev.Ghost, Probability: 0.02}, reorder,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(4) {
				f := faulty(blocktest.NewArena(t, 256<<20), blocktest.NewLoop(t), tt.rules, true)
				blocktest.RunOne(t, blocktest.Test{Run: func(f *blocktest.Fixture) error {
					dev := f.Dev.(*faultdev.Device)
					o := blocktest.ModelOptions{Seed: seed, Ops: 3000, Depth: 32, Errors: true, Late: tt.late}
					o.Fence = func() error { return exorcise(f, dev) }
					return blocktest.Model(f.Front, o)
				}}, f)
			}
		})
	}
}

// exorcise carries out the ghosts that are left, and ends the faults.
func exorcise(f *blocktest.Fixture, dev *faultdev.Device) error {
	return f.Loop.Await(func(done func()) {
		dev.Clear()
		dev.Release()
		var ask func()
		timer := f.Loop.NewTimer(func() { ask() })
		ask = func() {
			if dev.Held() == 0 {
				f.Loop.AtEnd(runner(done))
				return
			}
			timer.Reset(time.Millisecond)
		}
		ask()
	})
}

type runner func()

func (r runner) Run() { r() }
