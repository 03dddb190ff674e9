package blocktest

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
)

const (
	poison    = 0xDB // what a WRITE's memory holds once it is the submitter's again
	maxFaults = 10   // more say nothing new
)

// DeviceFront submits to a blockdev.Device and watches that it keeps the contract.
type DeviceFront struct {
	dev   blockdev.Device
	loop  *loop.Loop
	arena *blockdev.Arena

	// All below belongs to the loop.
	inFlight   int
	submitting bool
	idle       func()    // ends Run
	answering  bool      // an IO.Done is running
	answers    int       // starts in an IO.Done
	waiting    []*flight // for the next turn
	checks     []*flight // READs to look at again in the flush stage
	free       []*flight
	faults     []error
}

// flight is one IO on its way through a device. It owns the request and the WRITE's memory.
type flight struct {
	front  *DeviceFront
	io     *IO
	req    blockdev.Request
	chunks []*blockdev.Chunk
}

// NewDeviceFront makes the front of dev, which is on l. Payload of WRITEs is taken from arena as far as it goes; arena may be nil.
func NewDeviceFront(dev blockdev.Device, l *loop.Loop, arena *blockdev.Arena) *DeviceFront {
	return &DeviceFront{dev: dev, loop: l, arena: arena}
}

// Info says what the device is.
func (f *DeviceFront) Info() *blockdev.Info { return f.dev.Info() }

// Run carries out what begin starts. One Run at a time.
func (f *DeviceFront) Run(begin func(start func(*IO))) error {
	var faults []error
	err := f.loop.Await(func(done func()) {
		f.idle = func() {
			faults, f.faults = f.faults, nil
			done()
		}
		begin(f.start)
		f.checkIdle()
	})
	return errors.Join(append(faults, err)...)
}

// checkIdle ends the Run, once this turn's READs have been looked at.
func (f *DeviceFront) checkIdle() {
	if f.inFlight == 0 && f.idle != nil {
		f.loop.AtEnd((*idleCheck)(f))
	}
}

type idleCheck DeviceFront

func (c *idleCheck) Run() {
	if c.inFlight == 0 && len(c.checks) == 0 && c.idle != nil {
		idle := c.idle
		c.idle = nil
		idle()
	}
}

// start submits at once, or, as a server would that has sent the answer first, in the next turn. Now and then an answer is followed
// by a request in the same turn, as when a layer tries again.
func (f *DeviceFront) start(io *IO) {
	fl := f.take(io)
	f.inFlight++
	if f.answering {
		if f.answers++; f.answers%4 != 0 {
			f.wait(fl)
			return
		}
	}
	f.submit(fl)
}

func (f *DeviceFront) wait(fl *flight) {
	f.waiting = append(f.waiting, fl)
	if len(f.waiting) == 1 {
		f.loop.AtEnd((*turnEnd)(f))
	}
}

type turnEnd DeviceFront

func (e *turnEnd) Run() { e.loop.Later((*nextTurn)(e)) }

type nextTurn DeviceFront

func (n *nextTurn) Run() {
	f := (*DeviceFront)(n)
	waiting := f.waiting
	f.waiting = nil
	for _, fl := range waiting {
		f.submit(fl)
	}
}

func (f *DeviceFront) submit(fl *flight) {
	fl.req.Push(fl)
	outer := f.submitting
	f.submitting = true
	f.dev.Submit(&fl.req)
	f.submitting = outer
}

func (f *DeviceFront) take(io *IO) *flight {
	var fl *flight
	if n := len(f.free); n > 0 {
		fl, f.free = f.free[n-1], f.free[:n-1]
	} else {
		fl = &flight{front: f}
	}
	fl.io = io
	data := fl.req.Data[:0]
	if io.Op == blockdev.Write {
		data = fl.payload(data)
	}
	fl.req = blockdev.Request{Op: io.Op, Flags: io.Flags, Offset: io.Offset, Length: io.length(), Data: data}
	return fl
}

// payload copies the WRITE's data to memory that is cut as it wants, and never over the end of a chunk.
func (fl *flight) payload(segs []blockdev.Segment) []blockdev.Segment {
	left, split := fl.io.Data, fl.io.Split
	for len(left) > 0 {
		n := len(left)
		if len(split) > 0 {
			n, split = min(n, split[0]), split[1:]
		}
		var s blockdev.Segment
		if c := fl.chunk(); c != nil {
			n = min(n, len(c.Bytes))
			s = c.Slice(len(c.Bytes)-n, len(c.Bytes))
		} else {
			s = blockdev.Own(make([]byte, n))
		}
		copy(s.Bytes, left)
		segs, left = append(segs, s), left[n:]
	}
	return segs
}

func (fl *flight) chunk() *blockdev.Chunk {
	if fl.front.arena == nil {
		return nil
	}
	c := fl.front.arena.Get(nil)
	if c != nil {
		fl.chunks = append(fl.chunks, c)
	}
	return c
}

// Completed takes the answer.
func (fl *flight) Completed(r *blockdev.Request, err error) {
	f := fl.front
	io := fl.io
	if f.submitting {
		f.fault("%s completed inside Submit", r)
	}
	fl.checkError(err)
	io.Err = err
	switch {
	case io.Op == blockdev.Write:
		fl.takeBack()
		f.free = append(f.free, fl)
	case io.Op == blockdev.Read && err == nil && fl.readData():
		f.checks = append(f.checks, fl)
		if len(f.checks) == 1 {
			f.loop.Dirty((*flushStage)(f))
		}
	default:
		f.free = append(f.free, fl)
	}
	f.inFlight--
	if io.Done != nil {
		f.answering = true
		io.Done(io)
		f.answering = false
	}
	f.checkIdle()
}

func (fl *flight) checkError(err error) {
	var e *blockdev.Error
	if err != nil && !errors.As(err, &e) {
		fl.front.fault("%s completed with a %T, which is no *blockdev.Error: %v", &fl.req, err, err)
	}
}

// takeBack looks at the WRITE's memory, spoils it and gives it back.
func (fl *flight) takeBack() {
	data := fl.io.Data
	for _, s := range fl.req.Data {
		n := min(len(s.Bytes), len(data))
		if !bytes.Equal(s.Bytes, data[:n]) {
			fl.front.fault("%s: the device changed the WRITE's memory", &fl.req)
		}
		data = data[n:]
		fill(s.Bytes, poison)
	}
	if len(data) > 0 {
		fl.front.fault("%s: the device changed the WRITE's segments", &fl.req)
	}
	for _, c := range fl.chunks {
		c.Drop()
	}
	fl.chunks = fl.chunks[:0]
}

// readData copies what is lent, if it is of the right length.
func (fl *flight) readData() bool {
	if got, want := blockdev.SegmentsLen(fl.req.Data), uint64(len(fl.io.Data)); got != want {
		fl.front.fault("%s lends %d bytes", &fl.req, got)
		return false
	}
	n := 0
	for _, s := range fl.req.Data {
		n += copy(fl.io.Data[n:], s.Bytes)
	}
	return true
}

// flushStage is a DeviceFront at the time at which a server would send what its READs lent.
type flushStage DeviceFront

func (st *flushStage) Run() {
	f := (*DeviceFront)(st)
	for _, fl := range f.checks {
		data := fl.io.Data
		for _, s := range fl.req.Data {
			if !bytes.Equal(s.Bytes, data[:len(s.Bytes)]) {
				f.fault("%s: what it lent changed before the end of the turn", &fl.req)
			}
			data = data[len(s.Bytes):]
		}
		f.free = append(f.free, fl)
	}
	f.checks = f.checks[:0]
	f.checkIdle()
}

func (f *DeviceFront) fault(format string, args ...any) {
	if len(f.faults) < maxFaults {
		f.faults = append(f.faults, fmt.Errorf(format, args...))
	}
}
