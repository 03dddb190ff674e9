package blocktest

import (
	"fmt"
	"math/rand/v2"

	"github.com/hawser-storage/hawser/blockdev"
)

// workload makes a model's requests.
type workload struct {
	*model
	info   *blockdev.Info
	rng    *rand.Rand
	issued int
	flying int
	target int // how many should be in flight; it wanders between 1 and Depth, and by 0
	filled uint64
	start  func(*IO)
}

func newWorkload(m *model, info *blockdev.Info) *workload {
	w := &workload{model: m, info: info, rng: rand.New(rand.NewPCG(m.Seed, 1))}
	for i := range m.blocks {
		m.blocks[i].candidates = []*op{before}
	}
	most := info.Size/m.blockSize - m.Blocks
	switch m.Seed % 3 {
	case 1:
		m.first = most
	case 2:
		m.first = w.rng.Uint64N(most + 1)
	}
	w.target = 1 + w.rng.IntN(m.Depth)
	return w
}

// begin starts the workload; the answers keep it going.
func (w *workload) begin(start func(*IO)) {
	w.start = start
	w.pump()
}

func (w *workload) pump() {
	if w.flying == 0 && w.target == 0 {
		w.target = 1 + w.rng.IntN(w.Depth)
	}
	for w.err == nil && w.issued < w.Ops && w.flying < w.target {
		w.issued++
		w.launch(w.next(), w.answered)
	}
}

func (w *workload) answered() {
	switch w.rng.IntN(32) {
	case 0:
		w.target = 0
	case 1, 2:
		w.target = 1 + w.rng.IntN(w.Depth)
	}
	w.pump()
}

func (w *workload) launch(o *op, then func()) {
	w.ops = append(w.ops, o)
	o.number = len(w.ops)
	w.dress(o)
	w.flying++
	o.io.Done = func(*IO) {
		w.flying--
		w.complete(o)
		then()
	}
	w.submit(o)
	w.start(&o.io)
}

// next chooses a request. The first ones fill the blocks.
func (w *workload) next() *op {
	if w.filled < w.Blocks && !w.info.ReadOnly {
		o := &op{io: IO{Op: blockdev.Write}, at: w.filled, n: min(w.Blocks-w.filled, w.most(blockdev.Write))}
		w.filled += o.n
		return o
	}
	o := &op{io: IO{Op: w.chooseOp()}}
	if o.io.Op == blockdev.Flush {
		return o
	}
	o.n = 1 + w.rng.Uint64N(1+w.rng.Uint64N(w.most(o.io.Op)))
	o.at = w.rng.Uint64N(w.Blocks - o.n + 1)
	if w.rng.IntN(2) == 0 { // where it is crowded
		o.at = w.rng.Uint64N(min(8, w.Blocks-o.n+1))
	}
	return o
}

func (w *workload) chooseOp() blockdev.Op {
	switch n := w.rng.IntN(100); {
	case n < 40 || w.info.ReadOnly:
		return blockdev.Read
	case n < 80:
		return blockdev.Write
	case n < 88:
		return blockdev.WriteZeroes
	case n < 95 && w.info.Trim:
		return blockdev.Trim
	}
	return blockdev.Flush
}

// most is the largest extent of an operation, in blocks.
func (w *workload) most(op blockdev.Op) uint64 {
	limit := w.info.Limits.MaxTransfer
	switch op {
	case blockdev.Trim:
		limit = w.info.Limits.MaxTrim
	case blockdev.WriteZeroes:
		limit = w.info.Limits.MaxWriteZeroes
	}
	return max(1, clip(w.Extent*w.blockSize, limit)/w.blockSize)
}

// dress fills in the request's IO.
func (w *workload) dress(o *op) {
	io := &o.io
	io.Offset, io.Length = (w.first+o.at)*w.blockSize, o.n*w.blockSize
	switch io.Op {
	case blockdev.Read:
		io.Data = make([]byte, io.Length)
	case blockdev.Write:
		io.Data = make([]byte, io.Length)
		o.value = value(o.number)
		stamp(io.Data, w.Seed, o.value, w.first+o.at, int(w.blockSize))
		io.Split = w.split()
	case blockdev.WriteZeroes:
		if w.rng.IntN(2) == 0 {
			io.Flags |= blockdev.FlagNoUnmap
		}
	}
	if io.Op.Modifies() && w.info.FUA && w.rng.IntN(8) == 0 {
		io.Flags |= blockdev.FlagFUA
	}
}

func (w *workload) split() (s []int) {
	for w.rng.IntN(2) == 0 {
		s = append(s, 1+w.rng.IntN(5000))
	}
	return s
}

// lookAtAll reads every block, one request at a time.
func (w *workload) lookAtAll(start func(*IO)) {
	w.start = start
	at := uint64(0)
	var step func()
	step = func() {
		if at == w.Blocks || w.err != nil {
			return
		}
		o := &op{io: IO{Op: blockdev.Read}, at: at, n: min(w.Blocks-at, w.most(blockdev.Read))}
		at += o.n
		w.launch(o, step)
	}
	step()
}

var modelTests = []Test{
	modelTest(1, 1500), modelTest(8, 3000), modelTest(64, 6000),
}

func modelTest(depth, ops int) Test {
	return Test{Name: fmt.Sprintf("model-%d", depth), Run: func(f *Fixture) error {
		for seed := range uint64(3) {
			o := f.Model
			o.Seed += seed + 3*uint64(depth)
			if o.Ops == 0 {
				o.Ops = ops * 4096 / max(f.blockSize(), 4096) // payload is what takes the time
			}
			if o.Depth == 0 {
				o.Depth = depth
			}
			if err := Model(f.Front, o); err != nil {
				return err
			}
		}
		return nil
	}}
}
