// Package blockio is the ordinary Go view of a device: blocking reads and writes at an offset, for programs that import the packages
// as a library. It copies and allocates; a data path submits requests to the device itself.
package blockio

import (
	"fmt"
	"io"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
)

// Disk does I/O on a device from any goroutine. Offsets and lengths are in bytes and must be multiples of the device's block.
type Disk struct {
	dev  blockdev.Device
	loop *loop.Loop
}

var (
	_ io.ReaderAt = (*Disk)(nil)
	_ io.WriterAt = (*Disk)(nil)
)

// New makes a Disk of a device and the loop that it lives on. The device must have been up once.
func New(dev blockdev.Device, l *loop.Loop) *Disk { return &Disk{dev: dev, loop: l} }

// call is one request and who waits for it.
type call struct {
	blockdev.Request
	into []byte
	done func()
	err  error
}

// Completed implements [blockdev.Completer]. READ data is lent for the turn, so it is copied here.
func (c *call) Completed(_ *blockdev.Request, err error) {
	c.err = err
	if c.Op == blockdev.Read && err == nil {
		b := c.into
		for _, s := range c.Data {
			b = b[copy(b, s.Bytes):]
		}
	}
	c.done()
}

func (d *Disk) do(c *call) error {
	if err := d.check(&c.Request); err != nil {
		return err
	}
	err := d.loop.Await(func(done func()) {
		c.done = done
		c.Push(c)
		d.dev.Submit(&c.Request)
	})
	if err != nil {
		return err
	}
	return c.err
}

// check does what a front end owes a device: see package blockdev.
func (d *Disk) check(r *blockdev.Request) error {
	info := d.dev.Info()
	bs := uint64(info.BlockSize)
	switch {
	case r.Op == blockdev.Flush:
		return nil
	case r.Offset%bs != 0 || r.Length%bs != 0:
		return &blockdev.Error{Outcome: blockdev.NotSent, Code: blockdev.CodeInvalid, Err: fmt.Errorf("%v is no multiple of the block of %d bytes", r, bs)}
	case r.Offset > info.Size || r.Length > info.Size-r.Offset:
		return &blockdev.Error{Outcome: blockdev.NotSent, Code: blockdev.CodeOutOfRange, Err: fmt.Errorf("%v is beyond the end at %d", r, info.Size)}
	}
	return nil
}

// each cuts an extent to what the device takes at once.
func each(off int64, n uint64, limit uint64, fn func(off, done, n uint64) error) (int, error) {
	var done uint64
	for done < n {
		k := n - done
		if limit > 0 {
			k = min(k, limit)
		}
		if err := fn(uint64(off)+done, done, k); err != nil {
			return int(done), err
		}
		done += k
	}
	return int(done), nil
}

// ReadAt reads len(p) bytes at off. The error is a *blockdev.Error.
func (d *Disk) ReadAt(p []byte, off int64) (int, error) {
	return each(off, uint64(len(p)), d.dev.Info().Limits.MaxTransfer, func(off, done, n uint64) error {
		return d.do(&call{Request: blockdev.Request{Op: blockdev.Read, Offset: off, Length: n}, into: p[done : done+n]})
	})
}

// WriteAt writes p at off. When it returns without an error the data is on the device, and on stable storage after Sync.
func (d *Disk) WriteAt(p []byte, off int64) (int, error) {
	return each(off, uint64(len(p)), d.dev.Info().Limits.MaxTransfer, func(off, done, n uint64) error {
		return d.do(&call{Request: blockdev.Request{
			Op: blockdev.Write, Offset: off, Length: n, Data: []blockdev.Segment{blockdev.Own(p[done : done+n])},
		}})
	})
}

// Sync puts all completed writes on stable storage.
func (d *Disk) Sync() error { return d.do(&call{Request: blockdev.Request{Op: blockdev.Flush}}) }

// Zero makes n bytes at off read as zeroes, and may give the space back.
func (d *Disk) Zero(off, n int64) error {
	_, err := each(off, uint64(n), d.dev.Info().Limits.MaxWriteZeroes, func(off, _, n uint64) error {
		return d.do(&call{Request: blockdev.Request{Op: blockdev.WriteZeroes, Offset: off, Length: n}})
	})
	return err
}

// Trim tells the device that n bytes at off are not needed any more.
func (d *Disk) Trim(off, n int64) error {
	_, err := each(off, uint64(n), d.dev.Info().Limits.MaxTrim, func(off, _, n uint64) error {
		return d.do(&call{Request: blockdev.Request{Op: blockdev.Trim, Offset: off, Length: n}})
	})
	return err
}
