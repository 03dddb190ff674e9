package sim

import "sync/atomic"

// gate is a loop.Gate for tasks.
type gate struct {
	w       *World
	open    atomic.Bool
	waiting waitq
}

func (g *gate) Wait() {
	for !g.open.Load() {
		g.w.wait(&g.waiting, never, "wait at a gate", nil)
	}
}

func (g *gate) Open() {
	if !g.open.Swap(true) {
		g.w.mail.put(g)
	}
}

func (g *gate) arrive() { g.waiting.wake() }
