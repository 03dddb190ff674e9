package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
)

const (
	demoDepth   = 16        // requests in flight
	demoMaxIO   = 256 << 10 // bytes
	verifyChunk = 256 << 10
)

// device is what the load runs on: an NBD client.
type device interface {
	io.ReaderAt
	io.WriterAt
	Flush() error
}

// load reads and writes at random, and knows what every block has to be.
type load struct {
	dev    device
	ledger *ledger

	requests   atomic.Uint64
	bytes      atomic.Uint64
	mismatches atomic.Uint64
	firstBad   atomic.Uint64 // byte offset
}

func newLoad(dev device, size uint64) *load {
	return &load{dev: dev, ledger: newLedger(size / demoBlock)}
}

// run keeps demoDepth requests in flight until ctx ends by its deadline. It fails with the first request that does, or if ctx was
// cancelled.
func (l *load) run(ctx context.Context) error {
	err := l.each(ctx, func(_ int, rng *rand.Rand, buf []byte) error { return l.step(rng, buf) })
	if err == nil && errors.Is(ctx.Err(), context.Canceled) {
		err = errors.New("interrupted")
	}
	if err == nil {
		err = l.dev.Flush()
	}
	return err
}

// each runs step in demoDepth goroutines, again and again, until ctx ends, a step fails, or it is out of work.
func (l *load) each(ctx context.Context, step func(worker int, rng *rand.Rand, buf []byte) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wg sync.WaitGroup
	errs := make([]error, demoDepth)
	for i := range demoDepth {
		wg.Go(func() {
			rng, buf := rand.New(rand.NewPCG(rand.Uint64(), uint64(i))), make([]byte, demoMaxIO)
			for ctx.Err() == nil && errs[i] == nil {
				errs[i] = step(i, rng, buf)
			}
			if errs[i] != nil && errs[i] != io.EOF {
				stop(errs[i])
			}
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err == io.EOF {
			errs[i] = nil
		}
	}
	return errors.Join(errs...)
}

// step is one request. Its blocks are claimed for as long as it lasts, so that what they have to be is known.
func (l *load) step(rng *rand.Rand, buf []byte) error {
	e := l.ledger.claim(rng)
	defer l.ledger.release(e)
	buf = buf[:e.count*demoBlock]
	off := int64(e.first * demoBlock)
	if rng.IntN(2) == 0 {
		return l.read(e, buf, off)
	}
	l.ledger.stampAll(e, buf)
	if _, err := l.dev.WriteAt(buf, off); err != nil {
		return fmt.Errorf("WRITE of %d bytes at %d failed: %w", len(buf), off, err)
	}
	l.count(len(buf))
	return nil
}

func (l *load) read(e extent, buf []byte, off int64) error {
	if _, err := l.dev.ReadAt(buf, off); err != nil {
		return fmt.Errorf("READ of %d bytes at %d failed: %w", len(buf), off, err)
	}
	l.count(len(buf))
	for i := range e.count {
		block := e.first + i
		if !stampIs(buf[i*demoBlock:(i+1)*demoBlock], block, l.ledger.ids[block]) {
			if l.mismatches.Add(1) == 1 {
				l.firstBad.Store(block * demoBlock)
			}
		}
	}
	return nil
}

func (l *load) count(bytes int) {
	l.requests.Add(1)
	l.bytes.Add(uint64(bytes))
}

// verify reads everything back, and returns the number of blocks.
func (l *load) verify(ctx context.Context) (blocks uint64, err error) {
	var next atomic.Uint64
	total := uint64(len(l.ledger.ids))
	err = l.each(ctx, func(_ int, _ *rand.Rand, buf []byte) error {
		const per = verifyChunk / demoBlock
		first := next.Add(per) - per
		if first >= total {
			return io.EOF
		}
		e := extent{first, min(per, total-first)}
		return l.read(e, buf[:e.count*demoBlock], int64(first*demoBlock))
	})
	if err == nil && ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	return total, err
}
