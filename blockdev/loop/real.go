package loop

import (
	"sync"
	"time"
)

// Real is the kernel and its clock.
var Real Env = realEnv{}

type realEnv struct{}

func (realEnv) Time() time.Time { return time.Now() }
func (realEnv) Go(fn func())    { go fn() }
func (realEnv) NewGate() Gate   { return &realGate{ch: make(chan struct{})} }

func (realEnv) NewPoller() (Poller, error) { return newEpoll() }

type realGate struct {
	once sync.Once
	ch   chan struct{}
}

func (g *realGate) Wait() { <-g.ch }
func (g *realGate) Open() { g.once.Do(func() { close(g.ch) }) }
