package blocktest

import (
	"fmt"
	"slices"

	"github.com/hawser-storage/hawser/blockdev"
)

// ModelOptions are the shape of a random workload. 0 is the default.
type ModelOptions struct {
	Seed   uint64
	Ops    int    // requests; 2000
	Depth  int    // the most that are in flight together; 16
	Blocks uint64 // of the device that are used: the first, the last or somewhere, by the seed; 128
	Extent uint64 // the largest request, in blocks; 64 KiB, and 2 to 16 blocks

	Errors bool // requests may fail
	Late   bool // what came back as Unknown may still happen, until Fence

	// Fence makes sure, when everything has come back, that nothing happens late any more. It is control-plane code.
	Fence func() error
}

func (o ModelOptions) withDefaults(info *blockdev.Info) ModelOptions {
	if o.Ops <= 0 {
		o.Ops = 2000
	}
	if o.Depth <= 0 {
		o.Depth = 16
	}
	o.Blocks = min(orElse(o.Blocks, 128), info.Size/uint64(info.BlockSize))
	o.Extent = min(orElse(o.Extent, max(2, min(16, 64<<10/uint64(info.BlockSize)))), o.Blocks)
	return o
}

// Model runs a random workload on f and compares each READ with what the device may hold; see the package comment. The error names
// the seed, the block, what was read and the history of the block.
func Model(f Front, o ModelOptions) error {
	o = o.withDefaults(f.Info())
	m := &model{now: 1, ModelOptions: o, blockSize: uint64(f.Info().BlockSize), blocks: make([]block, o.Blocks)}
	w := newWorkload(m, f.Info())
	if err := f.Run(w.begin); err != nil || m.err != nil {
		return m.result(err)
	}
	if o.Fence != nil {
		if err := o.Fence(); err != nil {
			return m.result(fmt.Errorf("fence: %w", err))
		}
		m.fence()
	}
	return m.result(f.Run(w.lookAtAll))
}

// model knows what each block may hold. Time is counted in events.
type model struct {
	ModelOptions
	blockSize uint64
	first     uint64 // number of the first block that is used
	blocks    []block
	ops       []*op // op i has the number i+1
	reads     []*op // in flight
	open      []*op // Unknown, and may still happen
	log       []event
	now       int
	err       error
}

// block is one block: who may have left what it holds.
type block struct{ candidates []*op }

// op is one request of the workload, or, with the number 0, whatever was there before.
type op struct {
	io        IO
	number    int
	value     value // what it leaves
	at, n     uint64
	submitted int
	completed int // 0: in flight, or it may still happen
	refused   bool
	seen      bool
	views     []view // of a READ, by block
}

// view is what a READ may see in a block.
type view struct {
	legal []value
	quiet bool // nothing that changes the block was in flight meanwhile
}

var before = &op{value: anyValue, completed: 1}

// submit notes that o is on its way.
func (m *model) submit(o *op) {
	m.now++
	o.submitted = m.now
	m.log = append(m.log, event{m.now, o, false})
	switch {
	case o.io.Op == blockdev.Read:
		m.look(o)
	case o.io.Op.Modifies():
		m.change(o)
	}
}

// look takes down what a READ may see from the start.
func (m *model) look(o *op) {
	m.reads = append(m.reads, o)
	o.views = make([]view, o.n)
	for i := range o.views {
		v := &o.views[i]
		v.quiet = true
		for _, c := range m.blocks[o.at+uint64(i)].candidates {
			v.legal = append(v.legal, c.value)
			v.quiet = v.quiet && c.completed > 0
		}
	}
}

// change makes o a candidate for its blocks, for the READs in flight too.
func (m *model) change(o *op) {
	for b := o.at; b < o.at+o.n; b++ {
		blk := &m.blocks[b]
		blk.candidates = append(blk.candidates, o)
		for _, r := range m.reads {
			if r.at <= b && b < r.at+r.n {
				v := &r.views[b-r.at]
				v.legal, v.quiet = append(v.legal, o.value), false
			}
		}
	}
}

// complete takes the answer to o.
func (m *model) complete(o *op) {
	m.now++
	m.log = append(m.log, event{m.now, o, true})
	if o.io.Err != nil && !m.Errors {
		m.fail(describe(&o.io))
	}
	switch {
	case o.io.Op == blockdev.Read:
		m.reads = slices.DeleteFunc(m.reads, func(r *op) bool { return r == o })
		if o.io.Err == nil {
			m.checkRead(o)
		}
	case o.io.Op.Modifies():
		m.settle(o)
	}
}

// settle draws the consequences of the end of a change.
func (m *model) settle(o *op) {
	o.completed = m.now
	if o.io.Err == nil {
		if o.io.Op != blockdev.Trim {
			m.supersede(o)
		}
		return
	}
	switch blockdev.AsError(o.io.Err).Outcome {
	case blockdev.NotSent:
		m.refuse(o)
	case blockdev.Unknown:
		if m.Late {
			o.completed = 0
			m.open = append(m.open, o)
		}
	}
}

// supersede drops what was over before o began.
func (m *model) supersede(o *op) {
	for b := o.at; b < o.at+o.n; b++ {
		blk := &m.blocks[b]
		blk.candidates = slices.DeleteFunc(blk.candidates, func(c *op) bool {
			return c != o && c.completed > 0 && c.completed < o.submitted
		})
	}
}

// refuse takes o back: it did not happen.
func (m *model) refuse(o *op) {
	o.refused = true
	for b := o.at; b < o.at+o.n; b++ {
		blk := &m.blocks[b]
		blk.candidates = slices.DeleteFunc(blk.candidates, func(c *op) bool { return c == o })
	}
	if o.seen {
		m.fail(fmt.Errorf("op %d came back as not sent, but a READ has seen it", o.number))
	}
}

// fence: nothing happens late any more.
func (m *model) fence() {
	m.now++
	for _, o := range m.open {
		o.completed = m.now
	}
	m.open = nil
}

func (m *model) checkRead(o *op) {
	for i := range o.n {
		m.checkBlock(o, o.at+i, o.io.Data[i*m.blockSize:(i+1)*m.blockSize], &o.views[i])
	}
}

func (m *model) checkBlock(o *op, b uint64, p []byte, v *view) {
	got, err := identify(p, m.Seed, m.first+b)
	if v.quiet { // another READ may have narrowed it meanwhile
		v.legal = v.legal[:0]
		for _, c := range m.blocks[b].candidates {
			v.legal = append(v.legal, c.value)
		}
	}
	if slices.Contains(v.legal, anyValue) {
		return
	}
	if err == nil && !slices.Contains(v.legal, got) {
		err = fmt.Errorf("%s", got)
	}
	if err == nil && got != zeroValue {
		w := m.ops[got-1]
		w.seen = true
		if w.refused {
			err = fmt.Errorf("%s, which came back as not sent", got)
		}
	}
	if err != nil {
		m.fail(m.mismatch(o, b, err, v.legal))
		return
	}
	if v.quiet {
		m.narrow(b, got)
	}
}

// narrow keeps the candidates that left what was seen while nothing was in flight.
func (m *model) narrow(b uint64, got value) {
	blk := &m.blocks[b]
	blk.candidates = slices.DeleteFunc(blk.candidates, func(c *op) bool { return c.value != got })
}
