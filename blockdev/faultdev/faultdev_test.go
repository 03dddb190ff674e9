package faultdev_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/blocktest"
	"github.com/hawser-storage/hawser/blockdev/faultdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/blockdev/memdev"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const size = 1 << 20

// rig is a faulty RAM disk, with READs copied to an arena so that what is kept and dropped is counted.
type rig struct {
	t    *testing.T
	l    *loop.Loop
	mem  *memdev.Device
	dev  *faultdev.Device
	good blocktest.Client // past the faults
	bad  blocktest.Client
}

func newRig(t *testing.T, rules ...faultdev.Rule) *rig {
	t.Helper()
	arena := blocktest.NewArena(t, 64<<20)
	l := blocktest.NewLoop(t)
	mem := memdev.New(l, memdev.Config{Size: size, FUA: true, Arena: arena})
	dev := faultdev.New(l, mem, 1)
	g := &rig{t: t, l: l, mem: mem, dev: dev}
	g.good = blocktest.Client{Front: blocktest.NewDeviceFront(mem, l, arena)}
	g.bad = blocktest.Client{Front: blocktest.NewDeviceFront(dev, l, arena)}
	g.on(func() {
		for _, r := range rules {
			dev.Add(r)
		}
	})
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = dev.Close(ctx) // some tests leave something stalled on purpose
	})
	return g
}

// on runs fn on the loop.
func (g *rig) on(fn func()) {
	g.t.Helper()
	if err := g.l.Await(func(done func()) { fn(); done() }); err != nil {
		g.t.Fatal(err)
	}
}

func (g *rig) must(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

func page(b byte, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = b
	}
	return p
}

// blockAt is the first byte of each of the first n blocks.
func (g *rig) blocks(n int) []byte {
	g.t.Helper()
	p := make([]byte, 512*n)
	g.must(g.good.ReadAt(p, 0))
	var firsts []byte
	for i := range n {
		firsts = append(firsts, p[512*i])
	}
	return firsts
}

func write(b byte, blocks int) *blocktest.IO {
	return &blocktest.IO{Op: blockdev.Write, Data: page(b, 512*blocks)}
}

func TestFail(t *testing.T) {
	want := &blockdev.Error{Outcome: blockdev.NotSent, Code: blockdev.CodeNoPath}
	g := newRig(t, faultdev.Rule{Ops: []blockdev.Op{blockdev.Write}, Action: faultdev.Fail, Err: want})
	io := write(7, 1)
	g.must(g.bad.Do(io))
	if io.Err != want {
		t.Errorf("got %v, want %v", io.Err, want)
	}
	if got := g.blocks(1)[0]; got != 0 {
		t.Errorf("a failed WRITE reached the device: got %d, want 0", got)
	}
	g.must(g.bad.ReadAt(make([]byte, 512), 0))
}

func TestDefaultErrors(t *testing.T) {
	for action, want := range map[faultdev.Action]blockdev.Outcome{
		faultdev.Fail: blockdev.Failed, faultdev.Tear: blockdev.Unknown, faultdev.Lose: blockdev.Unknown, faultdev.Ghost: blockdev.Unknown,
	} {
		g := newRig(t, faultdev.Rule{Action: action})
		io := write(7, 4)
		g.must(g.bad.Do(io))
		if io.Err == nil || blockdev.AsError(io.Err).Outcome != want {
			t.Errorf("action %d: got %v, want the outcome %v", action, io.Err, want)
		}
	}
}

// TestMatching writes the blocks 0 to 9 and looks which of them fail.
func TestMatching(t *testing.T) {
	w := []blockdev.Op{blockdev.Write}
	for _, tt := range []struct {
		name string
		rule faultdev.Rule
		want string
	}{
		{"all", faultdev.Rule{}, "xxxxxxxxxx"},
		{"op", faultdev.Rule{Ops: []blockdev.Op{blockdev.Read, blockdev.Flush}}, ".........."},
		{"ops", faultdev.Rule{Ops: append(w, blockdev.Flush)}, "xxxxxxxxxx"},
		{"extent", faultdev.Rule{Ops: w, Offset: 1000, Length: 600}, ".xxx......"},
		{"the third", faultdev.Rule{Ops: w, Skip: 2, Count: 1}, "..x......."},
		{"the fifth and on", faultdev.Rule{Ops: w, Skip: 4}, "....xxxxxx"},
		{"never", faultdev.Rule{Ops: w, Probability: 1e-12}, ".........."},
		{"at random", faultdev.Rule{Ops: w, Probability: 0.5}, ".xx.xx.x.."},
		{"a pass", faultdev.Rule{Action: faultdev.Pass}, ".........."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.name != "a pass" {
				tt.rule.Action = faultdev.Fail
			}
			g := newRig(t, tt.rule)
			got, failed := "", 0
			for i := range uint64(10) {
				if g.bad.WriteAt(page(1, 512), i*512, 0) != nil {
					got, failed = got+"x", failed+1
				} else {
					got += "."
				}
			}
			if tt.name == "at random" { // which ones is the seed's affair; that it is some is not
				if failed == 0 || failed == 10 {
					t.Errorf("%d of 10 failed, want about half", failed)
				}
				return
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestSeedDecides(t *testing.T) {
	run := func() (got string) {
		g := newRig(t, faultdev.Rule{Action: faultdev.Fail, Probability: 0.5})
		for range 64 {
			if g.bad.Flush() != nil {
				got += "x"
			} else {
				got += "."
			}
		}
		return got
	}
	if first, second := run(), run(); first != second {
		t.Errorf("the same seed gave\n%s and\n%s", first, second)
	}
}

func TestRulesAtRunTime(t *testing.T) {
	g := newRig(t)
	var armed *faultdev.Armed
	seen := 0
	g.on(func() {
		g.dev.Add(faultdev.Rule{Action: faultdev.Pass, OnFire: func(*blockdev.Request) { seen++ }})
		armed = g.dev.Add(faultdev.Rule{Action: faultdev.Fail})
	})
	if g.bad.Flush() == nil {
		t.Error("the rule was not asked behind one that passes")
	}
	g.on(func() {
		if armed.Fired() != 1 || seen != 1 {
			t.Errorf("fired %d and observed %d, want 1 and 1", armed.Fired(), seen)
		}
		armed.Remove()
	})
	g.must(g.bad.Flush())
	g.must(g.bad.WriteAt(page(1, 512), 0, blockdev.FlagFUA))
	g.must(g.bad.WriteAt(page(1, 512), 0, 0))
	g.on(func() {
		g.dev.Clear()
		for _, tt := range []struct {
			op    blockdev.Op
			flags blockdev.Flags
			want  int
		}{{blockdev.Flush, 0, 2}, {blockdev.Write, 0, 2}, {blockdev.Write, blockdev.FlagFUA, 1}, {blockdev.Read, 0, 0}} {
			if got := g.dev.Calls(tt.op, tt.flags); got != tt.want {
				t.Errorf("%s with flags %#x: counted %d, want %d", tt.op, tt.flags, got, tt.want)
			}
		}
	})
	if seen != 4 {
		t.Errorf("observed %d requests, want 4", seen)
	}
}

func TestTear(t *testing.T) {
	for _, tt := range []struct {
		prefix uint64
		want   string
	}{{512, "x..."}, {1535, "xx.."}, {511, "...."}, {4096, "xxx."}} {
		g := newRig(t, faultdev.Rule{Action: faultdev.Tear, Prefix: tt.prefix})
		io := write('x', 4)
		io.Split = []int{100, 700}
		g.must(g.bad.Do(io))
		if io.Err == nil {
			t.Fatal("a torn WRITE succeeded")
		}
		got := ""
		for _, b := range g.blocks(4) {
			if b == 0 {
				b = '.'
			}
			got += string(rune(b))
		}
		if got != tt.want {
			t.Errorf("prefix %d: got %s, want %s", tt.prefix, got, tt.want)
		}
	}
}

func TestLose(t *testing.T) {
	g := newRig(t, faultdev.Rule{Action: faultdev.Lose})
	g.must(g.bad.Do(write(7, 1)))
	if got := g.blocks(1)[0]; got != 7 {
		t.Errorf("got %d, want 7: a lost answer is about a WRITE that happened", got)
	}
}

// TestStall holds a WRITE, before or behind the device, and releases it.
func TestStall(t *testing.T) {
	for name, before := range map[string]bool{"before": true, "behind": false} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t)
			var onDevice byte
			g.on(func() {
				g.dev.Add(faultdev.Rule{Action: faultdev.Stall, Before: before, Count: 1})
				g.dev.Add(faultdev.Rule{Ops: []blockdev.Op{blockdev.Flush}, Action: faultdev.Delay})
			})
			answered := false
			g.must(g.bad.Run(func(start func(*blocktest.IO)) {
				io := write(7, 1)
				io.Done = func(io *blocktest.IO) {
					answered = true
					if io.Err != nil {
						t.Error(io.Err)
					}
				}
				start(io)
				start(&blocktest.IO{Op: blockdev.Flush, Done: func(*blocktest.IO) {
					if g.dev.Held() != 1 || answered {
						t.Errorf("%d requests are held, want 1", g.dev.Held())
					}
					onDevice = peek(g.mem)
					if got := g.dev.Release(); got != 1 {
						t.Errorf("released %d, want 1", got)
					}
				}})
			}))
			if want := map[bool]byte{true: 0, false: 7}[before]; onDevice != want {
				t.Errorf("the device held %d when it was stalled, want %d", onDevice, want)
			}
			if got := g.blocks(1)[0]; got != 7 {
				t.Errorf("got %d after the release, want 7", got)
			}
		})
	}
}

// peek says, on the loop, whether the device has any content: 7 is what the tests write.
func peek(mem *memdev.Device) byte {
	if mem.Allocated() > 0 {
		return 7
	}
	return 0
}

func TestGhost(t *testing.T) {
	g := newRig(t, faultdev.Rule{Ops: []blockdev.Op{blockdev.Write}, Action: faultdev.Ghost, Count: 1})
	io := write(1, 1)
	g.must(g.bad.Do(io)) // its memory is poisoned now
	if blockdev.AsError(io.Err).Outcome != blockdev.Unknown {
		t.Fatalf("got %v, want an unknown outcome", io.Err)
	}
	g.must(g.bad.WriteAt(page(2, 512), 0, 0))
	if got := g.blocks(1)[0]; got != 2 {
		t.Fatalf("got %d before the release, want 2", got)
	}
	g.on(func() { g.dev.Release() })
	if got := g.blocks(1)[0]; got != 1 {
		t.Errorf("got %d after the release, want 1: the ghost of the first WRITE", got)
	}
}

func TestReorder(t *testing.T) {
	g := newRig(t, faultdev.Rule{Action: faultdev.Reorder})
	var order []int
	var ios []*blocktest.IO
	for i := range 32 {
		ios = append(ios, &blocktest.IO{Op: blockdev.Flush, Done: func(*blocktest.IO) { order = append(order, i) }})
	}
	g.must(g.bad.Must(ios...))
	sorted := true
	for i, n := range order {
		sorted = sorted && i == n
	}
	if sorted || len(order) != 32 {
		t.Errorf("%d completions came in the order %v", len(order), order)
	}
}

// TestCloseGivesUp closes with stalled requests and an ended context.
func TestCloseGivesUp(t *testing.T) {
	for name, tt := range map[string]struct {
		rule faultdev.Rule
		want blockdev.Outcome
	}{
		"before":  {faultdev.Rule{Action: faultdev.Stall, Before: true}, blockdev.NotSent},
		"behind":  {faultdev.Rule{Action: faultdev.Stall}, blockdev.Unknown},
		"delayed": {faultdev.Rule{Action: faultdev.Delay, Time: time.Hour}, blockdev.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t)
			held := make(chan struct{}, 2)
			tt.rule.OnFire = func(*blockdev.Request) { held <- struct{}{} }
			g.on(func() { g.dev.Add(tt.rule) })
			ios := []*blocktest.IO{{Op: blockdev.Read, Data: make([]byte, 512)}, write(1, 1)}
			came := make(chan error, 1)
			go func() { came <- g.bad.Do(ios...) }()
			<-held
			<-held
			g.on(func() {}) // the device's turn is over: what it holds, it holds
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			if err := g.dev.Close(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("Close: got %v, want %v", err, context.Canceled)
			}
			g.must(<-came)
			for _, io := range ios {
				e := blockdev.AsError(io.Err)
				if io.Err == nil || e.Outcome != tt.want || e.Code != blockdev.CodeShutdown {
					t.Errorf("%s: got %v, want %v, %v", io.Op, io.Err, blockdev.CodeShutdown, tt.want)
				}
			}
		})
	}
}
