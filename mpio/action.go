package mpio

import (
	"fmt"
	"time"
)

// Action is what is done with a request that did not succeed on a path.
type Action uint8

// The actions.
const (
	Fail         Action = iota // it goes up with its error
	Accept                     // it was carried out after all
	RetrySame                  // at once, on the same path
	RetryDelayed               // on the same path, after a pause
	RetryOther                 // at once, on a path that has not had it
	Wait                       // after a pause, on any path
)

var actionNames = [...]string{"fail", "accept", "retry", "retry delayed", "retry on another path", "wait"}

func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return fmt.Sprintf("action(%d)", uint8(a))
}

// Effect is what an answer means beyond its request.
type Effect uint8

// The effects. A reset and a lost write concern the next FLUSH; the others are reported, for whoever follows them up.
const (
	NoEffect          Effect = iota
	EffectReset              // the device was reset: volatile data and reservations may be gone
	EffectLostWrite          // a write that had been completed failed later
	EffectMode               // mode parameters changed: the write cache among them
	EffectALUA               // access states changed
	EffectCapacity           // the size changed
	EffectInventory          // LUNs, or what is behind them, changed
	EffectThin               // thin provisioning is running low
	EffectDepth              // the path is given more than it can queue
	EffectUnsupported        // the device does not know this operation
	EffectReadOnly           // the device is write-protected
	EffectMarginal           // the path damages what it carries
)

// pause is how long a delayed retry waits: first, then twice as long each time up to most, half of it at random.
type pause struct{ first, most time.Duration }

var (
	noPause    = pause{}
	shortPause = pause{10 * time.Millisecond, time.Second}
	busyPause  = pause{8 * time.Millisecond, 2 * time.Second}
	abortPause = pause{10 * time.Millisecond, 10 * time.Millisecond}
	readyPause = pause{time.Second, time.Second}
)

// after is the pause before the nth retry, from 1. random is in [0, 1).
func (p pause) after(n int, random float64) time.Duration {
	d := p.first
	for ; n > 1 && d < p.most; n-- {
		d *= 2
	}
	d = min(d, p.most)
	return d/2 + time.Duration(random*float64(d/2))
}
