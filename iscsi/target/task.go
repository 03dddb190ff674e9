package target

import (
	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// A task goes through these states in this order, and from each of them to idle when it is aborted.
type taskState uint8

const (
	taskIdle      taskState = iota // in the connection's free list
	taskReceiving                  // its data-out is coming
	taskHeld                       // a rule keeps it
	taskExecuting                  // at the medium
	taskAnswering                  // waiting for its turn on the wire
	taskSent                       // its answer is in the transmit window
)

// maxR2Ts is how many R2Ts of a task are outstanding at the most, whatever was negotiated.
const maxR2Ts = 4

// An r2t is a request for data that is not answered yet.
type r2t struct {
	ttt    uint32
	end    uint32 // offset behind the last byte that was asked for
	dataSN pdu.Serial
}

// A task is a SCSI command from its PDU to its answer. It belongs to its connection; while it is executing on a file, to the worker.
type task struct {
	conn  *conn
	chain *task // next in the connection's table
	lun   *lun  // nil if there is none
	op    *command

	itt       uint32
	cmdSN     pdu.Serial
	lunField  pdu.LUN
	cdb       scsi.CDB
	state     taskState
	immediate bool
	queued    bool // in the connection's queue
	aborted   bool // its answer is not wanted
	written   bool // W: data goes to the target
	readable  bool // R: data is expected from the target
	edtl      uint32

	// Where the command works, in bytes of the medium.
	off int64
	len int64

	// Data-out: it comes in order, into buf or, without one, through the medium at off.
	need      uint32 // bytes that the CDB asks for
	want      uint32 // bytes that are taken: need, or less if the initiator has less
	got       uint32 // bytes that came
	asked     uint32 // bytes up to which R2Ts asked
	unsol     bool   // unsolicited Data-Out is still to come
	unsolSN   pdu.Serial
	discard   bool // the answer is known: what comes is thrown away
	r2ts      [maxR2Ts]r2t
	nr2ts     int
	r2tSN     pdu.Serial
	r2tUnsent uint8 // of r2ts, how many at the end are not on the wire yet

	// Data-in: from buf or, without one, lent by the medium at off.
	supply   uint32 // bytes that the device has to give
	give     uint32 // bytes of them that are sent: no more than the initiator expects
	sent     uint32
	burst    uint32 // bytes sent in the current sequence
	dataSN   pdu.Serial
	pieces   uint32 // Data-In PDUs sent, for shapes
	buf      []byte
	borrowed bool // buf is the pool's
	status   scsi.Status
	sense    scsi.Sense
	stable   bool   // it has to be on stable storage before the answer
	count    uint64 // what a handler needs to keep: blocks or ranges
	flag     bool   // likewise: UNMAP, IMMED
	pattern  bool   // the data-out is one block that repeats
	rule     *armedRule
	hostile  Hostile

	barriers []*barrier // that wait for the task, once it is aborted
}

// fail ends the task with a CHECK CONDITION, unless it has failed before. The first failure counts.
func (t *task) fail(s scsi.Sense) {
	if t.status != scsi.StatusGood {
		return
	}
	t.status, t.sense = scsi.StatusCheckCondition, s
}

func (t *task) failCode(k scsi.SenseKey, c scsi.Code) { t.fail(scsi.NewSense(k, c)) }

func (t *task) failed() bool {
	return t.status != scsi.StatusGood && t.status != scsi.StatusConditionMet
}

// reply makes b, which stays the task's, the data-in, cut to what the command has room for.
func (t *task) reply(b []byte, alloc int) {
	b = b[:min(len(b), alloc)]
	t.buf = b
	t.setSupply(uint32(len(b)))
}

// setSupply says how many bytes the device has for the initiator.
func (t *task) setSupply(n uint32) {
	t.supply = n
	t.give = 0
	if t.readable {
		t.give = min(n, t.edtl)
	}
}

// residual is by how many bytes the transfer differs from what the initiator expected. A command that failed gives nothing, and takes
// no more than there is.
func (t *task) residual() (over, under uint32) {
	have := max(t.supply, t.need)
	if t.failed() {
		have = min(t.need, t.edtl)
	}
	if have > t.edtl {
		return have - t.edtl, 0
	}
	return 0, t.edtl - have
}
