package mpio

import (
	"context"
	"slices"

	"github.com/hawser-storage/hawser/blockdev/loop"
)

// waiters are callers of the control plane who wait for something on the loop. They belong to the loop.
type waiters []loop.Gate

func (w *waiters) open() {
	for _, g := range *w {
		g.Open()
	}
	*w = nil
}

// wait returns when w is opened, or ctx ends, or at once if over says so. last sees how things stand then. Both run on the loop.
func (d *Device) wait(ctx context.Context, w *waiters, over func() bool, last func()) error {
	gate := d.loop.Env().NewGate()
	err := d.onLoop(func() {
		if over() {
			gate.Open()
			return
		}
		*w = append(*w, gate)
	})
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, gate.Open)()
	gate.Wait()
	return d.onLoop(func() {
		*w = slices.DeleteFunc(*w, func(g loop.Gate) bool { return g == gate })
		last()
	})
}
