package faultdev

import (
	"time"

	"github.com/hawser-storage/hawser/blockdev"
)

// Action is what a rule does to a request.
type Action uint8

// The actions; see the package comment.
const (
	Pass Action = iota
	Fail
	Delay
	Stall
	Reorder
	Tear
	Lose
	Ghost
)

// Rule is one fault. The zero values match everything, always.
type Rule struct {
	// Ops are the operations that it is for; none is all of them.
	Ops []blockdev.Op

	// Offset and Length are the bytes that a request must touch. A Length of 0 is the whole device, and FLUSH, which touches none.
	Offset, Length uint64

	Skip        int     // so many matches are let through first
	Count       int     // it is done so many times at most; 0 is no limit
	Probability float64 // 0 to 1, of each match that is not skipped; 0 is always

	Action Action
	Before bool // Delay, Stall, Reorder: hold the request, not its completion

	// Err is the answer of Fail, Tear, Lose and Ghost. nil is, for Fail, an I/O error with the outcome blockdev.Failed, and for
	// the others a broken connection with the outcome blockdev.Unknown.
	Err *blockdev.Error

	// Time is how long Delay and Ghost hold the request, and Jitter the most that is added to it at random. A Ghost with neither waits
	// for Release.
	Time, Jitter time.Duration

	// Prefix is how many bytes Tear carries out, rounded down to blocks, and fewer than all. 0 is any number of blocks, at random.
	Prefix uint64

	// OnFire, if it is set, is called on the loop when the rule is applied, before anything is done.
	OnFire func(r *blockdev.Request)
}

var (
	errFailed  = &blockdev.Error{Outcome: blockdev.Failed, Code: blockdev.CodeIO, Where: "faultdev"}
	errUnknown = &blockdev.Error{Outcome: blockdev.Unknown, Code: blockdev.CodeTransport, Where: "faultdev"}
)

func (r *Rule) answer() error {
	switch {
	case r.Err != nil:
		return r.Err
	case r.Action == Fail:
		return errFailed
	}
	return errUnknown
}

// Armed is a rule at work. It belongs to the loop.
type Armed struct {
	Rule
	dev     *Device
	matched int
	fired   int
}

// Fired is how often the rule was applied.
func (a *Armed) Fired() int { return a.fired }

// Remove takes the rule away. What it holds stays held.
func (a *Armed) Remove() {
	for i, other := range a.dev.rules {
		if other == a {
			a.dev.rules = append(a.dev.rules[:i:i], a.dev.rules[i+1:]...)
			return
		}
	}
}

// fire decides on one request.
func (a *Armed) fire(r *blockdev.Request) bool {
	if !a.matches(r) || a.Count > 0 && a.fired >= a.Count {
		return false
	}
	a.matched++
	if a.matched <= a.Skip {
		return false
	}
	if a.Probability > 0 && a.dev.rng.Float64() >= a.Probability {
		return false
	}
	a.fired++
	if a.OnFire != nil {
		a.OnFire(r)
	}
	return true
}

func (a *Armed) matches(r *blockdev.Request) bool {
	return a.matchesOp(r.Op) && (a.Length == 0 || r.Op != blockdev.Flush && r.Offset < a.Offset+a.Length && a.Offset < r.End())
}

func (a *Armed) matchesOp(op blockdev.Op) bool {
	if a.Action == Tear && op != blockdev.Write {
		return false
	}
	for _, o := range a.Ops {
		if o == op {
			return true
		}
	}
	return len(a.Ops) == 0
}
