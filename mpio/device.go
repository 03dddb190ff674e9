package mpio

import (
	"cmp"
	"context"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
)

// A request's way:
//
//  1. Submit takes an attempt for it from the pool                         device.go
//  2. route sends it by the path that the policy picks, or lets it wait    device.go, no_path.go
//  3. the path completes it: attempt.Completed                             attempt.go
//  4. after success finish passes it up                                    attempt.go, flush.go
//  5. after an error the table says what next                              retry.go, disposition.go
//
// All of it runs on the loop.

// Device is one volume over several paths. See the package comment.
type Device struct {
	cfg     Config
	loop    *loop.Loop
	log     *slog.Logger
	info    atomic.Pointer[blockdev.Info]
	members []*member // by index; fixed

	// Everything below belongs to the loop.

	policy     Policy
	usable     *snapshot
	volume     *blockdev.Info // as the first path found it: the identity
	definedBy  *member
	writeCache bool // as published
	cache      cacheLedger
	quarantine quarantine
	random     *rand.Rand
	served     time.Time // when a path last carried a request

	attempts []*attempt // all there are: the pool's memory
	idle     []*attempt
	busy     int // attempts that are not idle

	waiting queue // for a path
	noPath  noPath
	answers []*attempt // outcome known inside Submit or an event: completed in the deferred stage
	late    deferredStage

	ready   waiters // of WaitReady
	closing closing

	// The control plane's.

	closeBegun atomic.Bool
	closed     loop.Gate // opens when closeErr is known
	closeErr   error
}

var _ blockdev.Device = (*Device)(nil)

// New makes a volume of paths, all on loop l, and begins to watch them. It does not wait for them: see WaitReady. The Device owns
// the paths from now on: Close closes them. On an error they stay the caller's.
func New(l *loop.Loop, cfg Config, paths ...Path) (*Device, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(paths); err != nil {
		return nil, err
	}
	d := &Device{
		cfg:    cfg,
		loop:   l,
		log:    cfg.Logger.With(logVolume, cfg.Name),
		policy: newRoundRobin(l, cfg.RoundRobin),
		usable: &snapshot{},
		closed: l.Env().NewGate(),
		random: newRandom(l, cfg.Name),
	}
	d.late.dev = d
	d.quarantine = quarantine{dev: d, timer: l.NewTimer(d.quarantine.expire)}
	d.noPath.timer = l.NewTimer(d.giveUpWaiting)
	for i, p := range paths {
		d.members = append(d.members, newMember(d, i, p))
	}
	if !l.Post(d.start) {
		return nil, loop.ErrStopped
	}
	return d, nil
}

// newRandom is for jitter. Its seed is of the loop's world, so that a simulation repeats itself.
func newRandom(l *loop.Loop, name string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(uint64(l.Env().Time().UnixNano()), h.Sum64()))
}

func (d *Device) start() {
	d.lastPathGone()
	if d.cfg.Inherited {
		d.quarantine.inherit()
	}
	if d.cfg.Unflushed {
		d.cache.completed++
	}
	for _, m := range d.members {
		m.path.Watch(m)
	}
}

// Info is what all paths together can do; nil until one has been up. A later value may promise less, when another path joined.
func (d *Device) Info() *blockdev.Info { return d.info.Load() }

// String is the volume's name.
func (d *Device) String() string { return d.cfg.Name }

// Submit implements [blockdev.Device].
func (d *Device) Submit(r *blockdev.Request) {
	a := d.take(r)
	if d.closing.refuse {
		d.answer(a, &blockdev.Error{Outcome: blockdev.NotSent, Code: blockdev.CodeShutdown, Where: d.cfg.Name})
		return
	}
	if r.Op == blockdev.Flush {
		d.cache.begin(a)
		if d.info.Load() != nil && !d.writeCache && !d.cache.unflushed() {
			d.answer(a, nil)
			return
		}
	}
	d.route(a)
}

// route sends a by a path, or keeps it until there is one. Who came first goes first.
func (d *Device) route(a *attempt) {
	if len(d.usable.paths) == 0 || d.waiting.len() > 0 {
		d.await(a)
		return
	}
	d.choose(a)
}

// choose sends a by the path that the policy picks, or the next one that has not had it.
func (d *Device) choose(a *attempt) {
	s := d.usable
	i := d.policy.pick(s, a.req)
	if a.tried != 0 {
		if i = untried(s, i, a.tried); i < 0 {
			a.tried = 0
			i = d.policy.pick(s, a.req)
		}
	}
	d.send(a, s.paths[i])
}

// untried is the first path from index i on that is not in the set, or -1.
func untried(s *snapshot, i int, tried uint64) int {
	for range s.paths {
		if s.paths[i].bit()&tried == 0 {
			return i
		}
		i = (i + 1) % len(s.paths)
	}
	return -1
}

// pathsChanged makes a new snapshot and acts on the first path that came or the last that went.
func (d *Device) pathsChanged() {
	had := len(d.usable.paths)
	s := &snapshot{}
	for _, m := range d.members {
		if m.state == StateUp {
			s.paths = append(s.paths, m)
		}
	}
	d.usable = s
	if d.closing.gaveUp {
		return
	}
	switch has := len(s.paths); {
	case had == 0 && has > 0:
		d.late.add()
		d.ready.open()
	case had > 0 && has == 0:
		d.lastPathGone()
	}
}

// deferredStage runs what must not run inside Submit or an event.
type deferredStage struct {
	dev    *Device
	queued bool
}

func (s *deferredStage) add() {
	if !s.queued {
		s.queued = true
		s.dev.loop.Later(s)
	}
}

// Run implements [loop.Runner].
func (s *deferredStage) Run() {
	s.queued = false
	s.dev.sendWaiting()
	s.dev.sendAnswers()
}

// answer completes a with err in the deferred stage.
func (d *Device) answer(a *attempt, err error) {
	a.phase, a.err = phaseAnswer, err
	d.answers = append(d.answers, a)
	d.late.add()
}

func (d *Device) sendAnswers() {
	n := len(d.answers)
	for _, a := range d.answers[:n] {
		d.finish(a, a.err)
	}
	left := copy(d.answers, d.answers[n:])
	clear(d.answers[left:])
	d.answers = d.answers[:left]
}

// WaitReady returns when at least one path is up; the others join when they come. When ctx ends first, or the volume is closed, it
// returns a *NoPathError, which has the reason of each path. It is for the control plane.
func (d *Device) WaitReady(ctx context.Context) error {
	var failed error
	err := d.wait(ctx, &d.ready, func() bool { return len(d.usable.paths) > 0 || d.closing.refuse }, func() {
		if len(d.usable.paths) == 0 {
			failed = d.noPathError(context.Cause(ctx))
		}
	})
	return cmp.Or(err, failed)
}
