package memdev

import (
	"context"
	"errors"
	"testing"

	"go.uber.org/goleak"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a device on a loop that the test turns itself.
type bench struct {
	t   testing.TB
	l   *loop.Loop
	dev *Device
}

// sink is the front end: it counts what comes back.
type sink struct {
	done int
	err  error
}

func (s *sink) Completed(r *blockdev.Request, err error) { s.done, s.err = s.done+1, err }

func newBench(t testing.TB, cfg Config) *bench {
	t.Helper()
	l, err := loop.New(loop.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Stop()
		if err := l.Run(); err != nil {
			t.Error(err)
		}
	})
	return &bench{t: t, l: l, dev: New(l, cfg)}
}

func (b *bench) turn() {
	if err := b.l.Turn(false); err != nil {
		b.t.Fatal(err)
	}
}

// do carries out one request in a turn of its own.
func (b *bench) do(r *blockdev.Request) error {
	b.t.Helper()
	var s sink
	r.Push(&s)
	b.dev.Submit(r)
	if s.done != 0 {
		b.t.Fatalf("%s: completed inside Submit", r)
	}
	b.turn()
	if s.done != 1 {
		b.t.Fatalf("%s: completed %d times, want once", r, s.done)
	}
	return s.err
}

func (b *bench) write(off uint64, p []byte) error {
	return b.do(&blockdev.Request{Op: blockdev.Write, Offset: off, Length: uint64(len(p)), Data: []blockdev.Segment{blockdev.Own(p)}})
}

func (b *bench) read(off, length uint64) []byte {
	b.t.Helper()
	r := &blockdev.Request{Op: blockdev.Read, Offset: off, Length: length}
	if err := b.do(r); err != nil {
		b.t.Fatalf("%s: %v", r, err)
	}
	var p []byte
	for _, s := range r.Data {
		p = append(p, s.Bytes...)
	}
	return p
}

func fill(n int, b byte) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = b
	}
	return p
}

func TestSparse(t *testing.T) {
	b := newBench(t, Config{Size: 1 << 40})
	if err := b.write(ExtentSize-512, fill(1024, 7)); err != nil {
		t.Fatal(err)
	}
	if got, want := b.dev.Allocated(), uint64(2*ExtentSize); got != want {
		t.Errorf("allocated %d bytes by a write over a border, want %d", got, want)
	}
	got := b.read(ExtentSize-1024, 2048)
	if want := string(fill(512, 0)) + string(fill(1024, 7)) + string(fill(512, 0)); string(got) != want {
		t.Error("a write over a border of extents does not read back")
	}
	for _, r := range []*blockdev.Request{
		{Op: blockdev.Trim, Length: ExtentSize},
		{Op: blockdev.WriteZeroes, Length: 1 << 40, Flags: blockdev.FlagNoUnmap},
	} {
		if err := b.do(r); err != nil {
			t.Fatal(err)
		}
		if got, want := b.dev.Allocated(), uint64(ExtentSize); got != want {
			t.Errorf("%s: allocated %d bytes, want %d", r, got, want)
		}
	}
	if err := b.do(&blockdev.Request{Op: blockdev.WriteZeroes, Length: 1 << 40}); err != nil {
		t.Fatal(err)
	}
	if got := b.dev.Allocated(); got != 0 {
		t.Errorf("allocated %d bytes after the whole device was zeroed, want 0", got)
	}
}

func TestMaxMemory(t *testing.T) {
	b := newBench(t, Config{Size: 1 << 30, MaxMemory: 2 * ExtentSize})
	if err := b.write(0, fill(512, 1)); err != nil {
		t.Fatal(err)
	}
	err := b.write(ExtentSize, fill(2*ExtentSize, 2))
	if code(err) != blockdev.CodeNoSpace {
		t.Fatalf("a write of one extent too many: got %v, want %v", err, blockdev.CodeNoSpace)
	}
	if got, want := b.dev.Allocated(), uint64(ExtentSize); got != want {
		t.Errorf("the refused write left %d bytes allocated, want %d", got, want)
	}
	if err := b.write(ExtentSize, fill(ExtentSize, 2)); err != nil {
		t.Errorf("the last extent: %v", err)
	}
}

func code(err error) blockdev.Code {
	var e *blockdev.Error
	if !errors.As(err, &e) {
		return 255
	}
	return e.Code
}

func TestRefusals(t *testing.T) {
	rw := Config{Size: 1 << 20, BlockSize: 4096, Limits: blockdev.Limits{MaxTransfer: 8192, MaxTrim: 8192, MaxWriteZeroes: 8192}}
	ro, noTrim := rw, rw
	ro.ReadOnly, noTrim.NoTrim = true, true
	const top = 1<<64 - 4096
	for _, tt := range []struct {
		name string
		cfg  Config
		r    blockdev.Request
		want blockdev.Code
	}{
		{"offset", rw, blockdev.Request{Offset: 512, Length: 4096}, blockdev.CodeInvalid},
		{"length", rw, blockdev.Request{Length: 512}, blockdev.CodeInvalid},
		{"end", rw, blockdev.Request{Offset: 1<<20 - 4096, Length: 8192}, blockdev.CodeOutOfRange},
		{"overflow", rw, blockdev.Request{Offset: top, Length: 8192}, blockdev.CodeOutOfRange},
		{"transfer", rw, blockdev.Request{Length: 12288}, blockdev.CodeInvalid},
		{"trim limit", rw, blockdev.Request{Op: blockdev.Trim, Length: 12288}, blockdev.CodeInvalid},
		{"zeroes limit", rw, blockdev.Request{Op: blockdev.WriteZeroes, Length: 12288}, blockdev.CodeInvalid},
		{"no data", rw, blockdev.Request{Op: blockdev.Write, Length: 4096}, blockdev.CodeInvalid},
		{"unknown", rw, blockdev.Request{Op: 77}, blockdev.CodeUnsupported},
		{"read-only write", ro, blockdev.Request{Op: blockdev.Write, Length: 4096}, blockdev.CodeReadOnly},
		{"read-only trim", ro, blockdev.Request{Op: blockdev.Trim, Length: 4096}, blockdev.CodeReadOnly},
		{"read-only zeroes", ro, blockdev.Request{Op: blockdev.WriteZeroes, Length: 4096}, blockdev.CodeReadOnly},
		{"no trim", noTrim, blockdev.Request{Op: blockdev.Trim, Length: 4096}, blockdev.CodeUnsupported},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := newBench(t, tt.cfg).do(&tt.r)
			if code(err) != tt.want {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if got := blockdev.AsError(err).Outcome; got != blockdev.Failed {
				t.Errorf("outcome: got %v, want %v", got, blockdev.Failed)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	for _, cfg := range []Config{
		{Size: 1}, {Size: 4096, BlockSize: 256}, {Size: 1 << 20, BlockSize: 3 << 9}, {Size: 1 << 20, BlockSize: 1 << 17}, {Size: 512, BlockSize: 4096},
	} {
		if cfg.Validate() == nil {
			t.Errorf("%+v is taken as valid", cfg)
		}
	}
}

// TestLentIsNotChanged submits a READ and a WRITE of the same block in one turn, in that order.
func TestLentIsNotChanged(t *testing.T) {
	for _, op := range []blockdev.Op{blockdev.Write, blockdev.Trim, blockdev.WriteZeroes} {
		t.Run(op.String(), func(t *testing.T) {
			b := newBench(t, Config{Size: 1 << 20})
			if err := b.write(0, fill(512, 1)); err != nil {
				t.Fatal(err)
			}
			var s sink
			read := &blockdev.Request{Op: blockdev.Read, Length: 512}
			change := &blockdev.Request{Op: op, Length: 512}
			if op == blockdev.Write {
				change.Data = []blockdev.Segment{blockdev.Own(fill(512, 2))}
			}
			for _, r := range []*blockdev.Request{read, change} {
				r.Push(&s)
				b.dev.Submit(r)
			}
			b.turn()
			if s.done != 1 || read.Data[0].Bytes[0] != 1 {
				t.Fatalf("%d requests are done, and the READ shows %d; want 1 and 1", s.done, read.Data[0].Bytes[0])
			}
			b.turn()
			if s.done != 2 {
				t.Fatal("the change was not carried out in the next turn")
			}
			if got := b.read(0, 512)[0]; got == 1 {
				t.Error("the change did not happen")
			}
		})
	}
}

func TestArenaCopy(t *testing.T) {
	a, err := blockdev.NewArena(3 * blockdev.ChunkSize)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, Config{Size: 1 << 20, Arena: a})
	if err := b.write(0, fill(512, 1)); err != nil {
		t.Fatal(err)
	}
	r := &blockdev.Request{Op: blockdev.Read, Length: 512}
	r.Push(keeper{})
	b.dev.Submit(r)
	b.turn()
	if err := b.write(0, fill(512, 2)); err != nil {
		t.Fatal(err)
	}
	if got := r.Data[0].Bytes[0]; got != 1 {
		t.Errorf("a later write shows in a kept segment: got %d, want 1", got)
	}
	err = b.do(&blockdev.Request{Op: blockdev.Read, Length: 3 * blockdev.ChunkSize})
	if code(err) != blockdev.CodeNoMemory {
		t.Errorf("a READ of more than is free: got %v, want %v", err, blockdev.CodeNoMemory)
	}
	r.Data[0].Drop()
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

// keeper keeps what was read beyond the turn.
type keeper struct{}

func (keeper) Completed(r *blockdev.Request, _ error) { r.Data[0].Keep() }

func TestNull(t *testing.T) {
	b := newBench(t, Config{Size: 1 << 62, Null: true})
	if err := b.write(1<<61, fill(512, 1)); err != nil {
		t.Fatal(err)
	}
	if got := b.read(1<<61, 3<<20); string(got) != string(fill(3<<20, 0)) {
		t.Error("a null device does not read as zeroes")
	}
	if got := b.dev.Allocated(); got != 0 {
		t.Errorf("a null device took %d bytes", got)
	}
}

func TestCloseDrains(t *testing.T) {
	l, err := loop.New(loop.Config{})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	dev := New(l, Config{Size: 1 << 20})
	var before, after sink
	l.Post(func() {
		for range 10 {
			r := &blockdev.Request{Op: blockdev.Read, Length: 512}
			r.Push(&before)
			dev.Submit(r)
		}
	})
	go func() { ended <- l.Run() }()
	for range 2 {
		if err := dev.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	_ = l.Await(func(done func()) {
		r := &blockdev.Request{Op: blockdev.Flush}
		r.Push(&after)
		dev.Submit(r)
		done()
	})
	l.Stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if before.done != 10 || before.err != nil {
		t.Errorf("%d of 10 requests came back before Close did, %v", before.done, before.err)
	}
	want := blockdev.Error{Outcome: blockdev.NotSent, Code: blockdev.CodeShutdown, Where: "memdev"}
	if got := blockdev.AsError(after.err); after.done != 1 || *got != want {
		t.Errorf("after Close: got %+v, want %+v", got, want)
	}
	if err := dev.Close(context.Background()); !errors.Is(err, loop.ErrStopped) {
		t.Errorf("Close on a stopped loop: got %v, want %v", err, loop.ErrStopped)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	arena, err := blockdev.NewArena(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]Config{
		"ram":   {Size: 1 << 20},
		"arena": {Size: 1 << 20, Arena: arena},
		"null":  {Size: 1 << 20, Null: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, cfg)
			var s sink
			payload := []blockdev.Segment{blockdev.Own(fill(8192, 3))}
			lent := make([]blockdev.Segment, 0, 8)
			r := &blockdev.Request{}
			step := func(op blockdev.Op, data []blockdev.Segment) {
				*r = blockdev.Request{Op: op, Offset: ExtentSize - 4096, Length: 8192, Data: data}
				r.Push(&s)
				b.dev.Submit(r)
			}
			got := testing.AllocsPerRun(100, func() {
				step(blockdev.Write, payload)
				b.turn()
				step(blockdev.Read, lent)
				b.turn()
				step(blockdev.WriteZeroes, nil)
				b.turn()
			})
			if got != 0 {
				t.Errorf("%v allocations, want 0", got)
			}
		})
	}
	if err := arena.Close(); err != nil {
		t.Error(err)
	}
}
