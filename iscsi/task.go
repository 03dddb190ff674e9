package iscsi

import (
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// direction is which way a command's data goes.
type direction uint8

const (
	noData direction = iota
	dataIn
	dataOut
)

// task is one SCSI command on its way. It belongs to the session's pool, and between start and finish to one connection.
type task struct {
	lun     *LUN
	req     *blockdev.Request // what it carries; nil for a command of the control plane
	command *Command          // such a command; else nil

	cdb    scsi.CDB
	dir    direction
	length uint32   // ExpectedDataTransferLength, bytes
	out    payload  // what goes to the target
	param  [24]byte // of an UNMAP
	step   step     // where it stands, for requests that take several commands
	done   uint64   // bytes of the request that earlier commands zeroed, with stepZeroes

	itt      uint32
	cmdSN    pdu.Serial
	sentAt   time.Time  // when its command was queued, or its data moved last
	queued   bool       // it has a slot and its command is in the transmit queue
	sent     bool       // the first byte of its command was taken by the socket
	aborting bool       // an ABORT TASK for it is under way
	got      uint32     // bytes of Data-In received, without a gap
	dataSN   pdu.Serial // of the next Data-In or R2T
	r2ts     int        // R2Ts whose data is not all queued
	given    uint32     // bytes of data queued for the target, without a gap
	asked    uint32     // bytes that R2Ts asked for

	pinned   int  // PDUs in the transmit queue that refer to its memory
	finished bool // answered, but still pinned
	err      error
}

// Slots: an ITT is a slot number below a generation, so that a late PDU of an earlier task with the same slot is known as such.
const (
	slotBits = 10
	maxSlots = 1 << slotBits
	slotMask = maxSlots - 1
)

// taskTable holds the tasks that the target knows of, by ITT.
type taskTable struct {
	slots []*task
	free  []uint16
	gen   uint32
}

func newTaskTable(n int) taskTable {
	t := taskTable{slots: make([]*task, n), free: make([]uint16, n)}
	for i := range t.free {
		t.free[i] = uint16(n - 1 - i)
	}
	return t
}

func (tt *taskTable) full() bool { return len(tt.free) == 0 }
func (tt *taskTable) used() int  { return len(tt.slots) - len(tt.free) }

// add gives t an ITT. The caller has seen that the table is not full.
func (tt *taskTable) add(t *task) {
	slot := tt.free[len(tt.free)-1]
	tt.free = tt.free[:len(tt.free)-1]
	tt.slots[slot] = t
	t.itt = tt.tag(uint32(slot))
}

// tag makes a tag of a new generation, which is never the reserved one.
func (tt *taskTable) tag(slot uint32) uint32 {
	for {
		tt.gen++
		if itt := tt.gen<<slotBits | slot; itt != pdu.ReservedTag {
			return itt
		}
	}
}

// find is the task of an ITT, or nil if there is none, or one of another generation.
func (tt *taskTable) find(itt uint32) *task {
	slot := itt & slotMask
	if int(slot) >= len(tt.slots) {
		return nil
	}
	t := tt.slots[slot]
	if t == nil || t.itt != itt {
		return nil
	}
	return t
}

func (tt *taskTable) remove(t *task) {
	slot := t.itt & slotMask
	tt.slots[slot] = nil
	tt.free = append(tt.free, uint16(slot))
}

// fifo is a queue that keeps its memory.
type fifo[T any] struct {
	items []T
	head  int
}

func (q *fifo[T]) push(v T)  { q.items = append(q.items, v) }
func (q *fifo[T]) len() int  { return len(q.items) - q.head }
func (q *fifo[T]) front() *T { return &q.items[q.head] }

func (q *fifo[T]) pop() T {
	var zero T
	v := q.items[q.head]
	q.items[q.head] = zero
	q.head++
	switch {
	case q.head == len(q.items):
		q.items, q.head = q.items[:0], 0
	case q.head >= 1024 && q.head >= len(q.items)/2: // a queue that never runs empty must not grow for ever
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	return v
}
