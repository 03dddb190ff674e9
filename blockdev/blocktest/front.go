package blocktest

import (
	"github.com/hawser-storage/hawser/blockdev"
)

// IO is one operation with plain memory. It belongs to the front from start until Done.
type IO struct {
	Op     blockdev.Op
	Flags  blockdev.Flags
	Offset uint64 // bytes
	Length uint64 // bytes, of TRIM and WRITE_ZEROES; READ and WRITE have the length of Data
	Data   []byte // WRITE: what is written. READ: filled in. It is not changed by others before the Run is over.

	// Split are lengths of segments into which a WRITE's memory is cut, where the front can do that; what is left is the last one.
	Split []int

	Err  error     // the answer: nil or a *blockdev.Error
	Done func(*IO) // called when it came back; may be nil
}

func (io *IO) length() uint64 {
	switch io.Op {
	case blockdev.Read, blockdev.Write:
		return uint64(len(io.Data))
	case blockdev.Flush:
		return 0
	}
	return io.Length
}

// Front is a place where I/O goes in: a blockdev.Device on its loop, or a client of one that is exported.
type Front interface {
	Info() *blockdev.Info

	// Run calls begin, and returns when everything that was started has come back. begin and every IO.Done are called one at a
	// time, never two at once, and may start more. An error is a breach of the front's own contract; what becomes of an
	// IO is in its Err. It is for the control plane.
	Run(begin func(start func(*IO))) error
}

// Client is a Front with calls that wait for their answer.
type Client struct{ Front }

// Do carries out ios, all in flight together, and returns the first breach of contract; their own errors are in Err.
func (c Client) Do(ios ...*IO) error {
	return c.Run(func(start func(*IO)) {
		for _, io := range ios {
			start(io)
		}
	})
}

// Must is Do for ios of which none may fail.
func (c Client) Must(ios ...*IO) error {
	if err := c.Do(ios...); err != nil {
		return err
	}
	for _, io := range ios {
		if io.Err != nil {
			return describe(io)
		}
	}
	return nil
}

// ReadAt reads len(p) bytes.
func (c Client) ReadAt(p []byte, off uint64) error {
	return c.Must(&IO{Op: blockdev.Read, Offset: off, Data: p})
}

// WriteAt writes p.
func (c Client) WriteAt(p []byte, off uint64, flags blockdev.Flags) error {
	return c.Must(&IO{Op: blockdev.Write, Offset: off, Data: p, Flags: flags})
}

// Flush makes what was written stable.
func (c Client) Flush() error { return c.Must(&IO{Op: blockdev.Flush}) }

// Trim gives an extent up.
func (c Client) Trim(off, length uint64, flags blockdev.Flags) error {
	return c.Must(&IO{Op: blockdev.Trim, Offset: off, Length: length, Flags: flags})
}

// WriteZeroes zeroes an extent.
func (c Client) WriteZeroes(off, length uint64, flags blockdev.Flags) error {
	return c.Must(&IO{Op: blockdev.WriteZeroes, Offset: off, Length: length, Flags: flags})
}
