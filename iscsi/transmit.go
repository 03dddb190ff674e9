package iscsi

import (
	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// Limits of what is queued for a socket before it is written. More than a write takes at once gains nothing.
const (
	headerSpace = 64 << 10 // bytes of headers, padding and digests
	maxQueued   = 1 << 20  // bytes of payload
	maxPieces   = 900      // of the 1024 that one writev takes
	pduSpace    = pdu.BHSLen + 2*pdu.DigestLen + 4
)

// transmitter is the transmit queue of a connection: PDUs in the order of the wire, as pieces of memory for writev. Headers,
// padding and digests lie in its own buffer; payload stays where it is, and the task that owns it is pinned meanwhile.
type transmitter struct {
	buf    []byte   // it never moves: pieces point into it
	pieces [][]byte // to be written, from next on
	next   int
	tail   bool // the last piece ends at the end of buf, so what is appended to buf can extend it

	marks   []mark // one a PDU of a task, in order
	mark    int    // the first that is not wholly written
	queued  uint64 // position in the stream of the end of the queue
	written uint64 // position up to which the socket has taken it
	payload int    // bytes of payload in the queue

	headerDigest, dataDigest bool
}

// mark says where in the stream a task's PDU lies.
type mark struct {
	start, end uint64
	task       *task
	command    bool // the SCSI Command PDU
}

func newTransmitter(headerDigest, dataDigest bool) transmitter {
	return transmitter{buf: make([]byte, 0, headerSpace), headerDigest: headerDigest, dataDigest: dataDigest}
}

func (x *transmitter) empty() bool { return x.next == len(x.pieces) }

// room says whether one more PDU fits.
func (x *transmitter) room() bool {
	return cap(x.buf)-len(x.buf) >= pduSpace && len(x.pieces) < maxPieces && x.payload < maxQueued
}

// header takes the next 48 bytes of the stream, to be encoded in place.
func (x *transmitter) header() *pdu.BHS { return (*pdu.BHS)(x.grow(pdu.BHSLen)) }

// grow takes n bytes of buf and adds them to the stream.
func (x *transmitter) grow(n int) []byte {
	if cap(x.buf)-len(x.buf) < n { // a control PDU, which does not wait for room: the pieces keep the old buffer
		x.buf, x.tail = make([]byte, 0, headerSpace), false
	}
	lo := len(x.buf)
	x.buf = x.buf[:lo+n]
	b := x.buf[lo:]
	x.queued += uint64(n)
	if x.tail {
		last := &x.pieces[len(x.pieces)-1]
		*last = (*last)[:len(*last)+n]
		return b
	}
	x.pieces = append(x.pieces, x.buf[lo:lo+n])
	x.tail = true
	return b
}

// endHeader adds the header digest, once the header has been encoded.
func (x *transmitter) endHeader(h *pdu.BHS) {
	if x.headerDigest {
		pdu.PutDigest(x.grow(pdu.DigestLen), pdu.HeaderDigest(h[:]))
	}
}

// data adds n bytes of p from off, padded, with their digest.
func (x *transmitter) data(p *payload, off, n uint32) {
	if n == 0 {
		return
	}
	crc := uint32(0)
	p.each(off, n, func(b []byte) {
		if x.dataDigest {
			crc = pdu.Digest(crc, b)
		}
		x.pieces = append(x.pieces, b)
	})
	x.tail = false
	x.queued += uint64(n)
	x.payload += int(n)
	if pad := pdu.Pad(int(n)) - int(n); pad > 0 {
		b := x.grow(pad)
		clear(b)
		if x.dataDigest {
			crc = pdu.Digest(crc, b)
		}
	}
	if x.dataDigest {
		pdu.PutDigest(x.grow(pdu.DigestLen), crc)
	}
}

// own marks the PDU that began at start as t's, which is pinned until it is written.
func (x *transmitter) own(start uint64, t *task, command bool) {
	t.pinned++
	x.marks = append(x.marks, mark{start: start, end: x.queued, task: t, command: command})
}

// write gives the socket what it takes. It reports whether the socket is full.
func (x *transmitter) write(s loop.Socket) (full bool, err error) {
	for !x.empty() {
		n, err := s.Writev(x.pieces[x.next:])
		if err == loop.ErrAgain {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		x.advance(n)
	}
	x.reset()
	return false, nil
}

func (x *transmitter) advance(n int) {
	x.written += uint64(n)
	for n > 0 {
		p := &x.pieces[x.next]
		if n < len(*p) {
			*p = (*p)[n:]
			return
		}
		n -= len(*p)
		*p = nil
		x.next++
	}
}

func (x *transmitter) reset() {
	x.buf, x.pieces, x.next, x.tail, x.payload = x.buf[:0], x.pieces[:0], 0, false, 0
}

// settle tells the tasks what became of their PDUs: the command of one was taken, the memory of another is no longer needed.
func (x *transmitter) settle(unpin func(t *task)) {
	for x.mark < len(x.marks) {
		m := &x.marks[x.mark]
		if m.start >= x.written {
			return
		}
		if m.command {
			m.task.sent = true
		}
		if m.end > x.written {
			return
		}
		t := m.task
		m.task = nil
		x.mark++
		unpin(t)
	}
	x.marks, x.mark = x.marks[:0], 0
}

// drop forgets the queue of a dead connection. The socket is closed: nothing reads the memory any more.
func (x *transmitter) drop(unpin func(t *task)) {
	for i := x.mark; i < len(x.marks); i++ {
		unpin(x.marks[i].task)
	}
	clear(x.pieces)
	clear(x.marks)
	x.marks, x.mark = x.marks[:0], 0
	x.reset()
}

// copied adds a small data segment that does not outlive the call.
func (x *transmitter) copied(data []byte) {
	if len(data) == 0 {
		return
	}
	b := x.grow(pdu.Pad(len(data)))
	clear(b[copy(b, data):])
	if x.dataDigest {
		pdu.PutDigest(x.grow(pdu.DigestLen), pdu.Digest(0, b))
	}
}
