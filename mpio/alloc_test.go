package mpio

import (
	"testing"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/memdev"
)

// devPath makes a path of a device.
type devPath struct {
	blockdev.Device
	name string
	w    Watcher
}

func (p *devPath) String() string  { return p.name }
func (p *devPath) Watch(w Watcher) { p.w = w; w.PathUp(p.Info()) }

// count is a front end that only counts.
type count struct{ done, failed int }

func (c *count) Completed(_ *blockdev.Request, err error) {
	c.done++
	if err != nil {
		c.failed++
	}
}

func newNullRig(t testing.TB, paths int) *rig {
	t.Helper()
	g := &rig{t: t, world: &world{}}
	var err error
	g.loop = newLoop(t, g.world)
	var ps []Path
	for range paths {
		dev := memdev.New(g.loop, memdev.Config{Size: 1 << 30, Null: true, WriteCache: true, Identity: blockdev.Identity{ID: "naa.5"}})
		ps = append(ps, &devPath{Device: dev, name: "null"})
	}
	if g.dev, err = New(g.loop, Config{Logger: quiet()}, ps...); err != nil {
		t.Fatal(err)
	}
	g.settle()
	return g
}

func TestNothingIsAllocated(t *testing.T) {
	g := newNullRig(t, 2)
	var c count
	reqs := make([]blockdev.Request, 32)
	data := []blockdev.Segment{blockdev.Own(zeroes[:4096])}
	lent := make([]blockdev.Segment, 0, 4)
	got := testing.AllocsPerRun(200, func() {
		for i := range reqs {
			r := &reqs[i]
			*r = blockdev.Request{Op: blockdev.Op(i % blockdev.NumOps), Length: 4096, Offset: uint64(i) * 4096}
			switch r.Op {
			case blockdev.Write:
				r.Data = data
			case blockdev.Read:
				r.Data = lent
			}
			r.Push(&c)
			g.dev.Submit(r)
		}
		g.turn()
	})
	if got != 0 {
		t.Errorf("%v allocations for %d requests, want 0", got, len(reqs))
	}
	if c.failed > 0 || c.done == 0 {
		t.Errorf("%d of %d requests failed", c.failed, c.done)
	}
	g.wantIdle()
}

// TestNothingIsAllocatedWithoutPath lets requests wait and go on.
func TestWaitingAllocatesNothing(t *testing.T) {
	g := newRig(t, 1, Config{})
	var c count
	var r blockdev.Request
	m := g.dev.members[0]
	got := testing.AllocsPerRun(100, func() {
		g.dev.usable = &snapshot{} // as when the last path goes, without the log line
		r = blockdev.Request{Op: blockdev.Flush}
		r.Push(&c)
		g.dev.Submit(&r)
		g.dev.usable = &snapshot{paths: []*member{m}}
		g.dev.late.add()
		g.turn()
		g.paths[0].seen = g.paths[0].seen[:0]
	})
	// The two snapshots, the slice in one and the policy's counts for it are the test's price.
	if got > 5 {
		t.Errorf("%v allocations, want 5", got)
	}
	if c.done == 0 || c.failed > 0 {
		t.Errorf("%d of %d requests failed", c.failed, c.done)
	}
}

func BenchmarkSubmit(b *testing.B) {
	g := newNullRig(b, 2)
	var c count
	var reqs [32]blockdev.Request
	var lent [32][4]blockdev.Segment
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r := &reqs[i%len(reqs)]
		*r = blockdev.Request{Op: blockdev.Read, Length: 4096, Data: lent[i%len(reqs)][:0]}
		r.Push(&c)
		g.dev.Submit(r)
		if i%len(reqs) == len(reqs)-1 {
			g.turn()
		}
	}
}
