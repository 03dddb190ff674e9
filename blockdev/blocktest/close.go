package blocktest

import (
	"context"
	"errors"
	"fmt"

	"github.com/hawser-storage/hawser/blockdev"
)

var closeTests = []Test{
	{Name: "close-idle", Skip: noDevice, Run: func(f *Fixture) error { return closeAndTry(f) }},
	{Name: "close-drains", Skip: noDevice, Run: testCloseDrains},
}

// counter counts what comes back.
type counter struct {
	came int
	err  error
	done func()
}

func (c *counter) Completed(_ *blockdev.Request, err error) {
	c.came++
	if err != nil {
		c.err = err
	}
	if c.done != nil {
		c.done()
	}
}

// testCloseDrains closes with requests in flight: they have all come back, well, when Close returns.
func testCloseDrains(f *Fixture) error {
	const depth = 32
	bs := uint64(f.blockSize())
	c := &counter{}
	err := f.Loop.Await(func(done func()) {
		for i := range uint64(depth) {
			r := &blockdev.Request{Op: blockdev.Read, Offset: i * bs % f.Dev.Info().Size, Length: bs}
			r.Push(c)
			f.Dev.Submit(r)
		}
		done()
	})
	if err != nil {
		return err
	}
	if err := f.Dev.Close(context.Background()); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	var came int
	var failed error
	err = f.Loop.Await(func(done func()) { came, failed = c.came, c.err; done() })
	if err := errors.Join(err, failed); err != nil {
		return fmt.Errorf("a READ that was in flight at Close: %w", err)
	}
	if came != depth {
		return fmt.Errorf("Close returned with %d of %d requests in flight", depth-came, depth)
	}
	return closeAndTry(f)
}

// closeAndTry closes and submits each operation: they come back, not inside Submit, as not sent.
func closeAndTry(f *Fixture) error {
	if err := f.Dev.Close(context.Background()); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	bs := uint64(f.blockSize())
	for op := range blockdev.Op(blockdev.NumOps) {
		r := &blockdev.Request{Op: op, Length: bs}
		if op == blockdev.Flush {
			r.Length = 0
		}
		if op == blockdev.Write {
			r.Data = []blockdev.Segment{blockdev.Own(make([]byte, bs))}
		}
		c := &counter{}
		inside := false
		err := f.Loop.Await(func(done func()) {
			c.done = done
			r.Push(c)
			f.Dev.Submit(r)
			inside = c.came > 0
		})
		if err != nil {
			return err
		}
		e := blockdev.AsError(c.err)
		switch {
		case inside:
			return fmt.Errorf("%s after Close completed inside Submit", op)
		case c.err == nil:
			return fmt.Errorf("%s after Close succeeded", op)
		case e.Code != blockdev.CodeShutdown || e.Outcome != blockdev.NotSent:
			return fmt.Errorf("%s after Close: got %v, %v (%w), want %v, %v", op, e.Code, e.Outcome, e, blockdev.CodeShutdown, blockdev.NotSent)
		}
	}
	return nil
}
