//go:build vm

package kernel_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
)

// ram is a disk in memory that answers a connection's requests in the plainest way, one after the other.
type ram struct {
	mu      sync.Mutex
	data    []byte
	counts  map[uint16]int
	flags   map[uint16]uint16 // all that were seen, by request type
	hold    bool              // do not answer what comes
	held    []request
	stalled chan struct{} // where it is not nil, nothing more is read until it is closed
	arrived chan struct{} // has room for one: something is held, or stalls
}

const (
	cmdRead, cmdWrite, cmdDisc, cmdFlush, cmdTrim, cmdZeroes = 0, 1, 2, 3, 4, 6

	// HAS_FLAGS, FLUSH, FUA, TRIM, WRITE_ZEROES, CAN_MULTI_CONN
	allFlags = 1<<0 | 1<<2 | 1<<3 | 1<<5 | 1<<6 | 1<<8
	readOnly = 1 << 1
)

type request struct {
	flags, kind uint16
	handle, off uint64
	length      uint32
	payload     []byte
	conn        net.Conn
}

func newRAM(size int) *ram {
	return &ram{data: make([]byte, size), counts: map[uint16]int{}, flags: map[uint16]uint16{}, arrived: make(chan struct{}, 1)}
}

// serve answers until the connection ends, in order or not.
func (r *ram) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	for {
		var h [28]byte
		if _, err := io.ReadFull(c, h[:]); err != nil {
			return
		}
		q := request{
			flags: binary.BigEndian.Uint16(h[4:]), kind: binary.BigEndian.Uint16(h[6:]), handle: binary.BigEndian.Uint64(h[8:]),
			off: binary.BigEndian.Uint64(h[16:]), length: binary.BigEndian.Uint32(h[24:]), conn: c,
		}
		if q.kind == cmdWrite {
			q.payload = make([]byte, q.length)
			if _, err := io.ReadFull(c, q.payload); err != nil {
				return
			}
		}
		if q.kind == cmdDisc {
			return
		}
		r.take(q)
	}
}

func (r *ram) take(q request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if stalled := r.stalled; stalled != nil {
		r.arrive()
		r.mu.Unlock()
		<-stalled
		r.mu.Lock()
	}
	r.counts[q.kind]++
	r.flags[q.kind] |= q.flags
	if !r.hold {
		r.answer(q)
		return
	}
	r.held = append(r.held, q)
	r.arrive()
}

func (r *ram) arrive() {
	select {
	case r.arrived <- struct{}{}:
	default:
	}
}

func (r *ram) answer(q request) {
	var errno uint32
	var data []byte
	switch end := q.off + uint64(q.length); {
	case q.kind == cmdFlush:
	case end > uint64(len(r.data)):
		errno = 22
	case q.kind == cmdRead:
		data = r.data[q.off:end]
	case q.kind == cmdWrite:
		copy(r.data[q.off:end], q.payload)
	case q.kind == cmdTrim, q.kind == cmdZeroes:
		clear(r.data[q.off:end])
	default:
		panic(fmt.Sprintf("request type %d", q.kind))
	}
	b := binary.BigEndian.AppendUint32(nil, 0x67446698)
	b = binary.BigEndian.AppendUint32(b, errno)
	b = binary.BigEndian.AppendUint64(b, q.handle)
	_, _ = q.conn.Write(append(b, data...))
}

// stall stops reading, in the midst of what comes, until the channel is closed.
func (r *ram) stall() chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stalled = make(chan struct{})
	return r.stalled
}

// holdBack stops answering; release answers what was held and all that comes.
func (r *ram) holdBack() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hold = true
}

func (r *ram) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hold = false
	for _, q := range r.held {
		r.answer(q)
	}
	r.held = nil
}

// forget drops what was held, as a server that was killed does.
func (r *ram) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hold, r.held = false, nil
}

func (r *ram) count(kind uint16) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts[kind]
}
