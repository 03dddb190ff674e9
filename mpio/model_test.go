package mpio_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/blocktest"
	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/blockdev/loop/sim"
	"github.com/hawser-storage/hawser/blockdev/memdev"
	"github.com/hawser-storage/hawser/mpio"
)

// flapper is a path to a shared disk that takes its time, breaks, and comes back. What it had when it broke was sent or not, and was
// carried out or not, or is a ghost: carried out at any time until the path has logged in again.
type flapper struct {
	name string
	loop *loop.Loop
	rng  *rand.Rand
	disk blockdev.Device
	w    mpio.Watcher
	up   bool
	jobs []*job // not carried out yet
	late []*job
	due  bool

	ghosts []*loop.Timer
	walked *int // ghosts that were carried out
}

// job is a request in a flapper.
type job struct {
	path  *flapper
	r     *blockdev.Request
	timer *loop.Timer
	err   error // the answer, whatever the disk says; for late: without it
}

var errFlap = errors.New("flap")

func flapError(o blockdev.Outcome) error {
	return &blockdev.Error{Outcome: o, Code: blockdev.CodeTransport, Err: errFlap}
}

func (p *flapper) String() string              { return p.name }
func (p *flapper) Info() *blockdev.Info        { return p.disk.Info() }
func (p *flapper) Watch(w mpio.Watcher)        { p.w = w }
func (p *flapper) Close(context.Context) error { return nil }

func (p *flapper) Submit(r *blockdev.Request) {
	j := &job{path: p, r: r}
	switch odds := p.rng.IntN(100); {
	case !p.up, odds < 2:
		p.answerLater(j, flapError(blockdev.NotSent))
	case odds < 4:
		p.answerLater(j, &blockdev.Error{Outcome: blockdev.Failed, SCSI: blockdev.SCSIStatus{Valid: true, Status: 0x08}})
	case odds < 6:
		p.answerLater(j, &blockdev.Error{Outcome: blockdev.Failed, SCSI: blockdev.SCSIStatus{Valid: true, Status: 2, HasSense: true, Key: 6, ASC: 0x3F, ASCQ: 3}})
	default:
		p.jobs = append(p.jobs, j)
		j.timer = p.loop.NewTimer(j.carryOut)
		j.timer.Reset(time.Duration(p.rng.IntN(2000)) * time.Microsecond)
	}
}

func (p *flapper) answerLater(j *job, err error) {
	j.err = err
	p.late = append(p.late, j)
	if !p.due {
		p.due = true
		p.loop.Later(p)
	}
}

func (p *flapper) Run() {
	p.due = false
	late := p.late
	p.late = nil
	for _, j := range late {
		j.r.Complete(j.err)
	}
}

func (j *job) carryOut() {
	j.path.jobs = slices.DeleteFunc(j.path.jobs, func(o *job) bool { return o == j })
	j.r.Push(j)
	j.path.disk.Submit(j.r)
}

func (j *job) Completed(r *blockdev.Request, err error) {
	if j.err != nil {
		err = j.err
	}
	r.Complete(err)
}

// flap breaks the path, or connects it.
func (p *flapper) flap() {
	if p.up = !p.up; p.up {
		for _, g := range p.ghosts { // the login reinstates the session
			g.Stop()
		}
		p.ghosts = nil
		p.w.PathUp(p.Info())
		return
	}
	p.w.PathDown(errFlap)
	lost := p.jobs
	p.jobs = nil
	for _, j := range lost {
		j.timer.Stop()
		switch p.rng.IntN(4) {
		case 3:
			p.haunt(j.r)
			p.answerLater(j, flapError(blockdev.Unknown))
		case 0:
			p.answerLater(j, flapError(blockdev.NotSent))
		case 1:
			p.answerLater(j, flapError(blockdev.Unknown))
		default:
			j.err = flapError(blockdev.Unknown)
			j.carryOut()
		}
	}
}

// ghost is a copy of a request, at the target.
type ghost struct{ blockdev.Request }

func (*ghost) Completed(*blockdev.Request, error) {}

// haunt carries r out later, if the path has not logged in again by then.
func (p *flapper) haunt(r *blockdev.Request) {
	if !r.Op.Modifies() {
		return
	}
	g := &ghost{blockdev.Request{Op: r.Op, Offset: r.Offset, Length: r.Length}}
	for _, s := range r.Data {
		g.Data = append(g.Data, blockdev.Own(slices.Clone(s.Bytes)))
	}
	t := p.loop.NewTimer(func() {
		*p.walked++
		g.Push(g)
		p.disk.Submit(&g.Request)
	})
	t.Reset(time.Duration(p.rng.IntN(30000)) * time.Microsecond)
	p.ghosts = append(p.ghosts, t)
}

// TestModelWithFlappingPaths compares a volume with a model while its paths come and go, together and one by one.
func TestModelWithFlappingPaths(t *testing.T) {
	seeds := uint64(300)
	if testing.Short() {
		seeds = 50
	}
	walked := 0
	for seed := range seeds {
		if err := flapping(sim.New(seed), &walked); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	if walked == 0 {
		t.Error("there was no ghost write")
	}
}

// TestSeedRepeatsItself runs one seed twice.
func TestSeedRepeatsItself(t *testing.T) {
	a, b := sim.New(7), sim.New(7)
	if err := errors.Join(flapping(a, new(int)), flapping(b, new(int))); err != nil {
		t.Fatal(err)
	}
	if a.Hash() != b.Hash() || !a.Time().Equal(b.Time()) {
		t.Errorf("the same seed took two courses: %v and %v", a, b)
	}
}

func flapping(w *sim.World, walked *int) error {
	seed := w.Seed()
	l := w.NewLoop(loop.Config{})
	disk := memdev.New(l, memdev.Config{Size: 4 << 20, WriteCache: true, FUA: true, Identity: identity})
	var flappers []*flapper
	var paths []mpio.Path
	for i := range 1 + int(seed%4) {
		p := &flapper{name: fmt.Sprint("path", i), loop: l, rng: w.Rand(), disk: disk, walked: walked}
		flappers, paths = append(flappers, p), append(paths, p)
	}
	d, err := mpio.New(l, mpio.Config{Name: "vol", Logger: quiet}, paths...)
	if err != nil {
		return err
	}
	var result error
	err = w.Do(func() {
		stop, flapping := false, len(flappers)
		for _, p := range flappers {
			w.Go(func() {
				for !stop || !p.up {
					_ = l.Await(func(done func()) { p.flap(); done() })
					w.Sleep(time.Duration(1+w.Rand().IntN(30)) * time.Millisecond)
				}
				flapping--
			})
		}
		if result = d.WaitReady(context.Background()); result != nil {
			return
		}
		result = blocktest.Model(blocktest.NewDeviceFront(d, l, nil), blocktest.ModelOptions{Seed: seed, Ops: 400, Depth: 1 + int(seed%24)})
		for stop = true; flapping > 0; {
			w.Sleep(time.Millisecond)
		}
		result = errors.Join(result, d.Close(context.Background()), disk.Close(context.Background()))
		l.Stop()
	})
	return errors.Join(result, err, w.Close())
}
