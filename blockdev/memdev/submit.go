package memdev

import (
	"fmt"

	"github.com/hawser-storage/hawser/blockdev"
)

// The way of a request, all on the loop:
//
//  1. Submit checks it and queues it with the verdict
//  2. Run, in the deferred stage, carries out the queue in order
//  3. a change to what was lent in this turn is held, and queued again at the end of the turn
//  4. the request completes

// job is a request and what is already known against it.
type job struct {
	r   *blockdev.Request
	err error
}

// Submit starts a request.
func (d *Device) Submit(r *blockdev.Request) {
	d.pending++
	d.enqueue(job{r, d.check(r)})
}

func (d *Device) enqueue(j job) {
	d.queue = append(d.queue, j)
	if !d.queued {
		d.queued = true
		d.loop.Later(d)
	}
}

// Run is the deferred stage. What is submitted meanwhile is for its next run.
func (d *Device) Run() {
	work := d.queue
	d.queue, d.spare = d.spare[:0], nil
	d.queued = false
	for i, j := range work {
		work[i] = job{}
		d.carryOut(j)
	}
	if cap(work) > cap(d.spare) {
		d.spare = work[:0]
	}
}

func (d *Device) carryOut(j job) {
	if j.err == nil {
		if d.mustWait(j.r) {
			d.hold(j)
			return
		}
		j.err = d.execute(j.r)
	}
	d.pending--
	j.r.Complete(j.err)
	d.checkDrained()
}

// mustWait says whether a request would change memory that is lent.
func (d *Device) mustWait(r *blockdev.Request) bool {
	return r.Op.Modifies() && d.store.lentIn(d.loop.Turns(), r.Offset, r.Length)
}

func (d *Device) hold(j job) {
	d.held = append(d.held, j)
	d.awaitEnd()
}

func (d *Device) awaitEnd() {
	if !d.ending {
		d.ending = true
		d.loop.AtEnd((*release)(d))
	}
}

// release is a Device at the end of a turn.
type release Device

func (rel *release) Run() {
	d := (*Device)(rel)
	d.ending = false
	for i, j := range d.held {
		d.held[i] = job{}
		d.enqueue(j)
	}
	d.held = d.held[:0]
	for i, c := range d.lent {
		d.lent[i] = nil
		c.Drop()
	}
	d.lent = d.lent[:0]
	d.checkDrained()
}

func (d *Device) execute(r *blockdev.Request) error {
	switch r.Op {
	case blockdev.Read:
		return d.read(r)
	case blockdev.Write:
		return d.write(r)
	case blockdev.Trim:
		d.store.discard(r.Offset, r.Length)
	case blockdev.WriteZeroes:
		if r.Flags&blockdev.FlagNoUnmap != 0 {
			d.store.zero(r.Offset, r.Length)
		} else {
			d.store.discard(r.Offset, r.Length)
		}
	}
	return nil
}

func (d *Device) read(r *blockdev.Request) error {
	switch {
	case d.arena != nil:
		return d.readCopy(r)
	case d.null:
		for left := r.Length; left > 0; {
			n := min(left, uint64(len(zeroes)))
			r.Data = append(r.Data, blockdev.Own(zeroes[:n:n]))
			left -= n
		}
	default:
		r.Data = d.store.lend(r.Data, r.Offset, r.Length, d.loop.Turns())
	}
	return nil
}

// readCopy fills chunks, which are the arena's again at the end of the turn unless somebody keeps them.
func (d *Device) readCopy(r *blockdev.Request) error {
	d.awaitEnd()
	if r.Length > uint64(d.arena.Free())*blockdev.ChunkSize {
		return d.fail(blockdev.CodeNoMemory, "no arena memory for a READ of %d bytes", r.Length)
	}
	for at := r.Offset; at < r.End(); {
		c := d.arena.Get(nil)
		n := min(r.End()-at, blockdev.ChunkSize)
		d.store.copyOut(c.Bytes[:n], at)
		r.Data = append(r.Data, c.Slice(0, int(n)))
		d.lent = append(d.lent, c)
		at += n
	}
	return nil
}

func (d *Device) write(r *blockdev.Request) error {
	if d.null {
		return nil
	}
	if !d.store.reserve(r.Offset, r.Length) {
		return d.fail(blockdev.CodeNoSpace, "%d bytes of memory are in use, and no more may be", d.store.allocated())
	}
	at := r.Offset
	for i := range r.Data {
		d.store.copyIn(r.Data[i].Bytes, at)
		at += uint64(len(r.Data[i].Bytes))
	}
	return nil
}

func (d *Device) fail(code blockdev.Code, format string, args ...any) error {
	return &blockdev.Error{Outcome: blockdev.Failed, Code: code, Where: d.name, Err: fmt.Errorf(format, args...)}
}
