package faultdev

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
)

// Device is a device with faults. It belongs to its loop; Info and Close may be used from anywhere.
type Device struct {
	loop  *loop.Loop
	inner blockdev.Device
	rng   *rand.Rand
	rules []*Armed

	calls   [blockdev.NumOps][flagSets]int
	pending int // requests taken and not completed

	ready   []*call // to be resumed in the deferred stage
	queued  bool    // Run is due
	stalled []*call // until Release
	shuffle []*call // some of them are resumed in the next turn
	spent   []*call // their segments are dropped at the end of the turn
	ending  bool    // the end of the turn is awaited
	timed   []*call // until their timers fire

	closing   bool
	givenUp   bool
	abandoned int // requests that were held when it gave up
	drained   []func()
}

const flagSets = 8 // combinations of blockdev.Flags

var _ blockdev.Device = (*Device)(nil)

// New wraps inner, which is on l and which Close will close. The seed decides all that is random.
func New(l *loop.Loop, inner blockdev.Device, seed uint64) *Device {
	return &Device{loop: l, inner: inner, rng: rand.New(rand.NewPCG(seed, 0))}
}

// Add arms a rule behind those that are there.
func (d *Device) Add(r Rule) *Armed {
	a := &Armed{Rule: r, dev: d}
	d.rules = append(d.rules, a)
	return a
}

// Clear takes all rules away. What they hold stays held.
func (d *Device) Clear() { d.rules = nil }

// Release lets go of everything that is stalled, in the deferred stage, and says how many requests that is.
func (d *Device) Release() int {
	n := len(d.stalled)
	for _, c := range d.stalled {
		d.resumeLater(c)
	}
	d.stalled = d.stalled[:0]
	return n
}

// Held is the number of requests and ghosts that are held now, for whatever reason.
func (d *Device) Held() int { return len(d.stalled) + len(d.shuffle) + len(d.timed) }

// Calls is the number of requests of an operation that were submitted with at least these flags.
func (d *Device) Calls(op blockdev.Op, flags blockdev.Flags) (n int) {
	for set, count := range d.calls[op] {
		if blockdev.Flags(set)&flags == flags {
			n += count
		}
	}
	return n
}

// Info says what the device is: what the inner one is.
func (d *Device) Info() *blockdev.Info { return d.inner.Info() }

// Submit starts a request.
func (d *Device) Submit(r *blockdev.Request) {
	if r.Op < blockdev.NumOps {
		d.calls[r.Op][r.Flags%flagSets]++
	}
	d.pending++
	if d.closing {
		c := &call{dev: d, r: r, step: stepAnswer}
		c.err = &blockdev.Error{Outcome: blockdev.NotSent, Code: blockdev.CodeShutdown, Where: "faultdev"}
		d.resumeLater(c)
		return
	}
	for _, a := range d.rules {
		if a.fire(r) && a.Action != Pass {
			(&call{dev: d, r: r, rule: a.Rule}).start()
			return
		}
	}
	r.Push(d)
	d.inner.Submit(r)
}

// Completed takes a request back that no rule was for.
func (d *Device) Completed(r *blockdev.Request, err error) { d.complete(r, err) }

func (d *Device) complete(r *blockdev.Request, err error) {
	d.pending--
	r.Complete(err)
	d.checkDrained()
}

// Close waits for what is in flight and held, and closes the inner device. See the package comment.
func (d *Device) Close(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { d.loop.Post(d.giveUp) })
	defer stop()
	held := 0
	err := d.loop.Await(func(done func()) {
		d.closing = true
		d.drained = append(d.drained, done)
		d.dropGhosts()
		d.checkDrained()
	})
	if err != nil {
		return err
	}
	if err := d.inner.Close(ctx); err != nil {
		return err
	}
	err = d.loop.Await(func(done func()) { held = d.abandoned; done() })
	if err == nil && held > 0 {
		err = fmt.Errorf("faultdev: closed with %d requests held: %w", held, context.Cause(ctx))
	}
	return err
}

func (d *Device) checkDrained() {
	if !d.closing || d.pending > 0 && !d.givenUp || len(d.spent) > 0 {
		return
	}
	for _, done := range d.drained {
		done()
	}
	d.drained = nil
}

// giveUp answers everything that is held. What the inner device still has comes back when that is closed.
func (d *Device) giveUp() {
	if !d.closing || d.givenUp {
		return
	}
	d.givenUp = true
	for _, c := range d.timed {
		c.timer.Stop()
	}
	all := slices.Concat(d.timed, d.stalled, d.shuffle)
	d.timed, d.stalled, d.shuffle = nil, nil, nil
	for _, c := range all {
		c.abandon()
	}
	d.abandoned = len(all)
	d.checkDrained()
}
