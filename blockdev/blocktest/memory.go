package blocktest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/hawser-storage/hawser/blockdev"
)

var memoryTests = []Test{
	{Name: "segments", Skip: readOnly, Run: testSegments},
	{Name: "write-memory", Skip: readOnly, Run: testWriteMemory},
	{Name: "kept-segments", Skip: either(noDevice, readOnly), Run: testKept},
}

// testSegments writes from memory that is cut in odd places, the last ones at random.
func testSegments(f *Fixture) error {
	n := f.maxTransfer()
	splits := [][]int{{1}, {1, 1, 1}, {511}, {1, 511, 4097}, {4097, 511, 1}, {4096, 4095, 4097}, {48, 65536}, {3, 5, 7, 11, 13}}
	rng := rand.New(rand.NewPCG(testSeed, 0))
	for range 8 {
		var s []int
		for range 200 {
			s = append(s, 1+rng.IntN(1<<rng.IntN(14)))
		}
		splits = append(splits, s)
	}
	for i, split := range splits {
		if err := writeRead(f, value(i+1), 0, n, split); err != nil {
			return fmt.Errorf("in segments of %d: %w", split, err)
		}
	}
	return nil
}

// testWriteMemory lets many WRITEs of one block each use the same memory again as soon as it is theirs. DeviceFront poisons it in between.
func testWriteMemory(f *Fixture) error {
	bs := uint64(f.blockSize())
	blocks := min(256, f.Front.Info().Size/bs)
	next := uint64(0)
	var failed error
	err := f.Front.Run(func(start func(*IO)) {
		var write func()
		write = func() {
			if next == blocks {
				return
			}
			p := make([]byte, bs)
			stamp(p, testSeed, 1, next, int(bs))
			io := &IO{Op: blockdev.Write, Offset: next * bs, Data: p, Done: func(io *IO) {
				if io.Err != nil {
					failed = errors.Join(failed, describe(io))
					return
				}
				write()
			}}
			next++
			start(io)
		}
		for range 16 {
			write()
		}
	})
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	for b := range blocks {
		if err := readBack(f, 1, b*bs, bs); err != nil {
			return err
		}
	}
	return nil
}

// keeper keeps what READs lend beyond the turn.
type keeper struct {
	segs []blockdev.Segment
	was  [][]byte
	left int
	err  error
	done func()
}

func (k *keeper) Completed(r *blockdev.Request, err error) {
	k.err = errors.Join(k.err, err)
	for _, s := range r.Data {
		s.Keep()
		k.segs, k.was = append(k.segs, s), append(k.was, bytes.Clone(s.Bytes))
	}
	if k.left--; k.left == 0 {
		k.done()
	}
}

// check compares what was kept with what it was, and drops it.
func (k *keeper) check() error {
	var err error
	for i, s := range k.segs {
		if !bytes.Equal(s.Bytes, k.was[i]) {
			err = fmt.Errorf("%d bytes that a READ lent and that were kept have changed", len(s.Bytes))
		}
		s.Drop()
	}
	return err
}

// testKept keeps what READs lent while other READs and WRITEs to other blocks go on.
func testKept(f *Fixture) error {
	bs, n := uint64(f.blockSize()), f.maxTransfer()
	if n < 4*bs || f.Front.Info().Size < 2*n {
		return nil
	}
	if err := writeRead(f, 1, 0, n, nil); err != nil {
		return err
	}
	const reads = 4
	k := &keeper{left: reads}
	err := f.Loop.Await(func(done func()) {
		k.done = done
		for i := range uint64(reads) {
			r := &blockdev.Request{Op: blockdev.Read, Offset: i * bs, Length: bs}
			r.Push(k)
			f.Dev.Submit(r)
		}
	})
	if err := errors.Join(err, k.err); err != nil {
		return err
	}
	for i := range value(8) {
		if err := writeRead(f, i+2, n, n, nil); err != nil {
			return err
		}
	}
	return errors.Join(f.Loop.Await(func(done func()) { err = k.check(); done() }), err)
}
