package mpio

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
)

var errCut = errors.New("cable cut")

// fakePath is a path that does as it is told. It completes in the deferred stage of the turn of Submit, unless it holds.
type fakePath struct {
	name   string
	loop   *loop.Loop
	w      Watcher
	info   atomic.Pointer[blockdev.Info]
	isUp   bool
	queued bool

	answer func(r *blockdev.Request) error // nil: success
	script []error                         // answers before that, in order
	hold   bool                            // completes nothing
	seen   []blockdev.Op                   // submitted while up
	pend   []*blockdev.Request
	failed []*blockdev.Request // submitted while down
	closed bool

	rescans int
}

func (p *fakePath) Rescan() { p.rescans++ }

func (p *fakePath) String() string       { return p.name }
func (p *fakePath) Info() *blockdev.Info { return p.info.Load() }
func (p *fakePath) Watch(w Watcher)      { p.w = w }

func (p *fakePath) up(info *blockdev.Info) {
	p.isUp = true
	p.info.Store(info)
	p.w.PathUp(info)
}

// down loses the connection: what is in flight comes back with an unknown outcome.
func (p *fakePath) down() { p.downWith(transportError(blockdev.Unknown)) }

func (p *fakePath) downWith(e *blockdev.Error) {
	p.isUp = false
	p.w.PathDown(errCut)
	lost := p.pend
	p.pend = nil
	for _, r := range lost {
		r.Complete(e)
	}
}

func transportError(o blockdev.Outcome) *blockdev.Error {
	return &blockdev.Error{Outcome: o, Code: blockdev.CodeTransport, Err: errCut}
}

func (p *fakePath) Submit(r *blockdev.Request) {
	if p.isUp {
		p.seen = append(p.seen, r.Op)
		p.pend = append(p.pend, r)
	} else {
		p.failed = append(p.failed, r)
	}
	if !p.queued {
		p.queued = true
		p.loop.Later(p)
	}
}

func (p *fakePath) Run() {
	p.queued = false
	failed := p.failed
	p.failed = nil
	for _, r := range failed {
		r.Complete(transportError(blockdev.NotSent))
	}
	if p.hold {
		return
	}
	work := p.pend
	p.pend = nil
	for _, r := range work {
		p.complete(r)
	}
}

// release completes what is held.
func (p *fakePath) release() {
	p.hold = false
	p.Run()
}

func (p *fakePath) complete(r *blockdev.Request) {
	var err error
	switch {
	case len(p.script) > 0:
		err, p.script = p.script[0], p.script[1:]
	case p.answer != nil:
		err = p.answer(r)
	}
	if r.Op == blockdev.Read && err == nil {
		r.Data = append(r.Data, blockdev.Own(zeroes[:r.Length]))
	}
	r.Complete(err)
}

var zeroes [1 << 20]byte

func (p *fakePath) Close(ctx context.Context) error {
	var err error
	stopped := p.loop.Await(func(done func()) {
		p.closed, p.isUp = true, false
		if n := len(p.pend); n > 0 {
			err = context.Cause(ctx)
		}
		lost := p.pend
		p.pend = nil
		for _, r := range lost {
			r.Complete(&blockdev.Error{Outcome: blockdev.Unknown, Code: blockdev.CodeShutdown, Where: p.name})
		}
		done()
	})
	return errors.Join(err, stopped)
}
