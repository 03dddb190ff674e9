package faultdev

import (
	"bytes"
	"slices"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
)

// The way of a request that a rule applies to:
//
//	Fail                     start -> [deferred] answer
//	Tear                     start -> device, with a prefix -> answer
//	Lose                     start -> device -> answer
//	Delay, Stall, Reorder    start -> device -> hold -> answer
//	  with Before            start -> hold -> device -> answer
//	Ghost                    start -> [deferred] answer -> hold -> device, with a copy -> nothing

// step is what happens when a call is resumed.
type step uint8

const (
	stepAnswer step = iota // complete the request with err
	stepPass               // submit it to the device
	stepGhost              // complete it with err, and hold the copy
	stepHaunt              // submit the copy to the device
)

// call is one request that a rule applies to. It owns sub, and the references in kept.
type call struct {
	dev   *Device
	r     *blockdev.Request
	rule  Rule
	step  step
	err   error
	kept  []blockdev.Segment
	sub   blockdev.Request // a prefix of r, or a copy
	timer *loop.Timer
}

func (c *call) start() {
	switch {
	case c.rule.Action == Fail || c.rule.Action == Ghost && c.r.Op == blockdev.Read:
		c.err = c.rule.answer()
		c.dev.resumeLater(c)
	case c.rule.Action == Ghost:
		c.err, c.step, c.sub = c.rule.answer(), stepGhost, copyOf(c.r)
		c.dev.resumeLater(c)
	case c.rule.Action == Tear:
		c.tear()
	case c.rule.Before && c.rule.Action != Lose:
		c.step = stepPass
		c.hold()
	default:
		c.pass()
	}
}

func (c *call) pass() {
	c.step = stepAnswer
	c.r.Push(c)
	c.dev.inner.Submit(c.r)
}

func (c *call) tear() {
	block := uint64(c.dev.Info().BlockSize)
	n := c.rule.Prefix
	if n == 0 {
		n = c.dev.rng.Uint64N(max(c.r.Length, 1))
	}
	n = min(n, c.r.Length-min(block, c.r.Length)) / block * block
	c.sub = blockdev.Request{Op: c.r.Op, Flags: c.r.Flags, Offset: c.r.Offset, Length: n, Data: prefix(c.r.Data, n)}
	c.sub.Push(c)
	c.dev.inner.Submit(&c.sub)
}

// Completed is the device's answer to the request, to its prefix, or to its copy.
func (c *call) Completed(r *blockdev.Request, err error) {
	switch {
	case c.step == stepHaunt: // its submitter has forgotten it
	case c.rule.Action == Tear || c.rule.Action == Lose:
		if r.Op == blockdev.Read {
			c.r.Data = c.r.Data[:0]
		}
		c.dev.complete(c.r, c.rule.answer())
	case c.rule.Before || c.dev.givenUp:
		c.dev.complete(c.r, err)
	default:
		c.err = err
		c.keep()
		c.hold()
	}
}

// keep holds on to what a READ lends. Memory that is not in an arena is its lender's to change after this turn, so it is copied.
func (c *call) keep() {
	if c.r.Op != blockdev.Read || c.err != nil {
		return
	}
	for i, s := range c.r.Data {
		if !s.InArena() {
			c.r.Data[i] = blockdev.Own(bytes.Clone(s.Bytes))
			continue
		}
		s.Keep()
		c.kept = append(c.kept, s)
	}
}

// hold waits for whatever the rule says.
func (c *call) hold() {
	d := c.dev
	switch {
	case c.rule.Action == Reorder:
		d.shuffle = append(d.shuffle, c)
		d.awaitEnd()
	case c.rule.Action == Delay || c.rule.Action == Ghost && c.rule.Time+c.rule.Jitter > 0:
		c.timer = d.loop.NewTimer(c.expired)
		c.timer.Reset(c.time())
		d.timed = append(d.timed, c)
	default:
		d.stalled = append(d.stalled, c)
	}
}

func (c *call) time() time.Duration {
	t := c.rule.Time
	if c.rule.Jitter > 0 {
		t += time.Duration(c.dev.rng.Int64N(int64(c.rule.Jitter)))
	}
	return t
}

func (c *call) expired() {
	c.dev.timed = slices.DeleteFunc(c.dev.timed, func(o *call) bool { return o == c })
	c.resume()
}

func (c *call) resume() {
	switch c.step {
	case stepPass:
		c.pass()
	case stepAnswer:
		c.answer()
	case stepGhost:
		c.step = stepHaunt
		if !c.dev.closing {
			c.hold()
		}
		c.answer()
	case stepHaunt:
		c.sub.Push(c)
		c.dev.inner.Submit(&c.sub)
	}
}

// answer completes the request. What it lends is lent until the end of the turn.
func (c *call) answer() {
	if len(c.kept) > 0 {
		c.dev.spent = append(c.dev.spent, c)
		c.dev.awaitEnd()
	}
	c.dev.complete(c.r, c.err)
}

// abandon ends a call that is held.
func (c *call) abandon() {
	switch c.step {
	case stepHaunt:
		return
	case stepPass:
		c.err = &blockdev.Error{Outcome: blockdev.NotSent, Code: blockdev.CodeShutdown, Where: "faultdev"}
	default:
		c.err = &blockdev.Error{Outcome: blockdev.Unknown, Code: blockdev.CodeShutdown, Where: "faultdev"}
		if c.r.Op == blockdev.Read {
			c.r.Data = c.r.Data[:0]
		}
	}
	c.answer()
}

func (c *call) drop() {
	for _, s := range c.kept {
		s.Drop()
	}
	c.kept = nil
}

func copyOf(r *blockdev.Request) blockdev.Request {
	cp := blockdev.Request{Op: r.Op, Flags: r.Flags, Offset: r.Offset, Length: r.Length}
	var b []byte
	for _, s := range r.Data {
		b = append(b, s.Bytes...)
	}
	if len(b) > 0 {
		cp.Data = []blockdev.Segment{blockdev.Own(b)}
	}
	return cp
}

// prefix is the first n bytes of segs.
func prefix(segs []blockdev.Segment, n uint64) (out []blockdev.Segment) {
	for _, s := range segs {
		if n == 0 {
			break
		}
		k := min(n, uint64(len(s.Bytes)))
		s.Bytes = s.Bytes[:k:k]
		out = append(out, s)
		n -= k
	}
	return out
}
