package blocktest_test

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/blocktest"
	"github.com/hawser-storage/hawser/blockdev/faultdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/blockdev/memdev"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// broken is a RAM disk with a defect, which the list must find.
type broken struct {
	*memdev.Device
	loop   *loop.Loop
	defect func(b *broken, r *blockdev.Request) bool // takes the request, or leaves it
	n      int
}

func (b *broken) Submit(r *blockdev.Request) {
	b.n++
	if !b.defect(b, r) {
		b.Device.Submit(r)
	}
}

// completer is a function at the end of a request.
type completer func(r *blockdev.Request, err error)

func (c completer) Completed(r *blockdev.Request, err error) { c(r, err) }

func isRead(r *blockdev.Request) bool  { return r.Op == blockdev.Read && r.Length > 0 }
func isWrite(r *blockdev.Request) bool { return r.Op == blockdev.Write && r.Length > 0 }

// behind lets the device do the request and then changes the answer.
func behind(want func(*blockdev.Request) bool, fn func(b *broken, r *blockdev.Request)) func(*broken, *blockdev.Request) bool {
	return func(b *broken, r *blockdev.Request) bool {
		if want(r) {
			r.Push(completer(func(r *blockdev.Request, err error) {
				if err == nil {
					fn(b, r)
				}
				r.Complete(err)
			}))
		}
		return false
	}
}

// runner is work for a later stage.
type runner func()

func (r runner) Run() { r() }

// succeed completes a request in the deferred stage without doing it.
func (b *broken) succeed(r *blockdev.Request) bool {
	b.loop.Later(runner(func() { r.Complete(nil) }))
	return true
}

// resubmit sends a request of its own to the device, and calls then.
func (b *broken) resubmit(r blockdev.Request, then func()) {
	r.Push(completer(func(*blockdev.Request, error) { then() }))
	b.Device.Submit(&r)
}

var defects = []struct {
	name   string
	test   string // which finds it
	says   string
	defect func(b *broken, r *blockdev.Request) bool
}{
	{"loses a write in 100", "model-8", "history of block", func(b *broken, r *blockdev.Request) bool {
		return isWrite(r) && b.n%100 == 0 && b.succeed(r)
	}},
	{"writes beside", "model-1", "foreign: write", func(b *broken, r *blockdev.Request) bool {
		if isWrite(r) && b.n%100 == 0 && r.Offset > 0 {
			r.Offset -= 512
		}
		return false
	}},
	{"reads beside", "neighbours", "foreign: write", func(b *broken, r *blockdev.Request) bool {
		if isRead(r) && r.Offset > 0 {
			r.Offset -= 512
		}
		return false
	}},
	{"writes half a block", "model-8", "torn: it begins as write", func(b *broken, r *blockdev.Request) bool {
		if !isWrite(r) || b.n%100 != 0 || len(r.Data[0].Bytes) < 512 {
			return false
		}
		// The second half of the last block stays as it is.
		was := make([]byte, 256)
		at := r.End() - 512
		read := &blockdev.Request{Op: blockdev.Read, Offset: at, Length: 512}
		read.Push(completer(func(read *blockdev.Request, _ error) {
			copy(was, read.Data[0].Bytes[256:])
			var p []byte
			for _, s := range r.Data {
				p = append(p, s.Bytes...)
			}
			copy(p[len(p)-256:], was)
			b.resubmit(blockdev.Request{Op: blockdev.Write, Offset: r.Offset, Length: r.Length, Data: []blockdev.Segment{blockdev.Own(p)}},
				func() { r.Complete(nil) })
		}))
		b.Device.Submit(read)
		return true
	}},
	{"answers before it reads the memory", "write-memory", "poison", func(b *broken, r *blockdev.Request) bool {
		if !isWrite(r) {
			return false
		}
		late := blockdev.Request{Op: r.Op, Offset: r.Offset, Length: r.Length, Data: append([]blockdev.Segment(nil), r.Data...)}
		b.loop.Later(runner(func() {
			r.Complete(nil)
			b.resubmit(late, func() {})
		}))
		return true
	}},
	{"changes the memory", "sizes", "changed the WRITE's memory", behind(isWrite, func(_ *broken, r *blockdev.Request) { r.Data[0].Bytes[0]++ })},
	{"answers inside Submit", "flush", "completed inside Submit", func(_ *broken, r *blockdev.Request) bool {
		if r.Op == blockdev.Flush {
			r.Complete(nil)
		}
		return r.Op == blockdev.Flush
	}},
	{"lends too much", "sizes", "lends 1024 bytes", behind(isRead, func(_ *broken, r *blockdev.Request) {
		r.Data = append(r.Data, blockdev.Own(make([]byte, 512)))
	})},
	{"takes back what it lent", "sizes", "changed before the end of the turn", behind(isRead, func(b *broken, r *blockdev.Request) {
		p := append([]byte(nil), r.Data[0].Bytes...)
		r.Data[0] = blockdev.Own(p)
		b.loop.Later(runner(func() { p[0]++ }))
	})},
	{"takes no bytes for all", "length-0", "after a WRITE_ZEROES of no bytes", func(b *broken, r *blockdev.Request) bool {
		if r.Op == blockdev.WriteZeroes && r.Length == 0 {
			r.Offset, r.Length = 0, b.Info().Size
		}
		return false
	}},
	{"does not zero", "write-zeroes", "want zeroes", func(b *broken, r *blockdev.Request) bool {
		return r.Op == blockdev.WriteZeroes && b.succeed(r)
	}},
	{"trims its neighbour", "trim", "block", func(_ *broken, r *blockdev.Request) bool {
		if r.Op == blockdev.Trim {
			r.Length += 512
		}
		return false
	}},
	{"answers a read with old data", "model-64", "want one of", stale()},
	{"another error", "out-of-range", "no *blockdev.Error", func(b *broken, r *blockdev.Request) bool {
		if r.Offset <= b.Info().Size {
			return false
		}
		b.loop.Later(runner(func() { r.Complete(strangeError{}) }))
		return true
	}},
}

type strangeError struct{}

func (strangeError) Error() string { return "strange" }

// stale answers READs of the first block with what it held some READs ago.
func stale() func(b *broken, r *blockdev.Request) bool {
	var old []byte
	n := 0
	return behind(isRead, func(_ *broken, r *blockdev.Request) {
		if r.Offset != 0 {
			return
		}
		first := append([]byte(nil), r.Data[0].Bytes...)
		if n++; n%50 == 0 {
			copy(first, old)
			r.Data[0] = blockdev.Own(first)
		} else if n%50 == 1 {
			old = append([]byte(nil), first[:512]...)
		}
	})
}

func TestDefectsAreFound(t *testing.T) {
	for _, d := range defects {
		t.Run(d.name, func(t *testing.T) {
			l := blocktest.NewLoop(t)
			dev := &broken{Device: memdev.New(l, memdev.Config{Size: 1 << 20}), loop: l, defect: d.defect}
			f := &blocktest.Fixture{Dev: dev, Loop: l, Checks: true, Zeroed: true, Front: blocktest.NewDeviceFront(dev, l, nil), Do: func(fn func()) { fn() }}
			err := find(t, d.test).Run(f)
			if err == nil {
				t.Fatalf("%s did not find it", d.test)
			}
			if !strings.Contains(err.Error(), d.says) {
				t.Errorf("%s says\n%v\nwant %q in it", d.test, err, d.says)
			}
		})
	}
}

func find(t *testing.T, name string) blocktest.Test {
	t.Helper()
	for _, test := range blocktest.All {
		if test.Name == name {
			return test
		}
	}
	t.Fatalf("there is no test %q in the list", name)
	return blocktest.Test{}
}

// TestGhostIsFound: a WRITE that happens late is legal only if the model was told so, and only until the fence.
func TestGhostIsFound(t *testing.T) {
	for _, tt := range []struct {
		name        string
		late, fence bool
		want        string
	}{
		{"not told", false, true, "want one of"},
		{"told", true, true, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := blocktest.NewLoop(t)
			dev := faultdev.New(l, memdev.New(l, memdev.Config{Size: 1 << 20}), 1)
			armed := dev.Add(faultdev.Rule{Ops: []blockdev.Op{blockdev.Write}, Action: faultdev.Ghost, Probability: 0.05})
			dev.Add(faultdev.Rule{Ops: []blockdev.Op{blockdev.Flush}, Action: faultdev.Pass, OnFire: func(*blockdev.Request) { dev.Release() }})
			f := &blocktest.Fixture{Dev: dev, Loop: l}
			blocktest.RunOne(t, blocktest.Test{Run: func(f *blocktest.Fixture) error {
				o := blocktest.ModelOptions{Seed: 5, Ops: 3000, Errors: true, Late: tt.late}
				o.Fence = func() error {
					return l.Await(func(done func()) { armed.Remove(); dev.Release(); l.AtEnd(runner(done)) })
				}
				err := blocktest.Model(f.Front, o)
				switch {
				case tt.want == "" && err != nil:
					t.Errorf("got %v, want no error", err)
				case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
					t.Errorf("got %v, want %q in it", err, tt.want)
				}
				return nil
			}}, f)
		})
	}
}

// TestCloseThatDoesNotDrain is found too.
func TestCloseThatDoesNotDrain(t *testing.T) {
	l := blocktest.NewLoop(t)
	var held []*blockdev.Request
	dev := &broken{Device: memdev.New(l, memdev.Config{Size: 1 << 20}), loop: l}
	dev.defect = func(_ *broken, r *blockdev.Request) bool {
		if isRead(r) {
			held = append(held, r)
		}
		return isRead(r)
	}
	f := &blocktest.Fixture{Dev: dev, Loop: l, Front: blocktest.NewDeviceFront(dev, l, nil)}
	err := find(t, "close-drains").Run(f)
	if err == nil || !strings.Contains(err.Error(), "Close returned with 32 of 32 requests in flight") {
		t.Errorf("got %v", err)
	}
}
