package iscsi

import (
	"io"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// The way of what the target sends, once a turn:
//
//  1. receive: one readv into the current chunk and, while much is expected, into further ones
//  2. parse: header, data segment, padding and digest, wherever the chunks cut them
//  3. begin: the header is decoded and checked; it says where the data goes (dispatch.go)
//  4. data: payload stays where it is; a READ gets a reference to the chunk
//  5. end: the PDU is whole and its digests are right; now it takes effect
//  6. pump: what waited for a slot or for the window goes out
//
// A header that is cut in two is gathered in a small buffer. Payload is never moved.

const (
	maxReads    = 8        // readvs of one connection in one turn: then it is the others' turn
	minRoom     = 16 << 10 // a readv for less is not worth its call
	maxRoom     = 1 << 20
	maxControl  = 8 << 10 // bytes of a data segment that is not READ data: the rest is not looked at
	maxAHSBytes = 255 * 4
)

// receiver holds the bytes that come in. It owns one reference to each of its chunks.
type receiver struct {
	arena  *blockdev.Arena
	chunks []*blockdev.Chunk // chunks[0] is being filled and parsed; the others are empty
	fill   int               // chunks[0] is filled and parsed up to here
	bufs   [][]byte          // scratch for readv

	headerDigest, dataDigest bool

	head    [pdu.BHSLen + maxAHSBytes + pdu.DigestLen]byte // a header that was cut, or has an AHS or a digest
	have    int                                            // bytes in head
	inData  bool                                           // the header is done
	left    int                                            // bytes of the data segment to come
	trailer int                                            // bytes of padding and digest to come after it
	trail   [3 + pdu.DigestLen]byte
	pad     int
	crc     uint32

	control []byte // the data segment of a PDU that carries no READ data, cut at maxControl
}

// room gives the memory for the next readv: as much as is expected, within bounds.
func (r *receiver) room(expected uint64) (bufs [][]byte, n int) {
	if len(r.chunks) > 0 && r.fill > 0 && !r.chunks[0].Shared() {
		r.fill = 0
	}
	want := int(min(max(expected, minRoom), maxRoom))
	bufs = r.bufs[:0]
	for i := 0; n < want; i++ {
		if i == len(r.chunks) {
			c := r.arena.Get(nil)
			if c == nil {
				break
			}
			r.chunks = append(r.chunks, c)
		}
		b := r.chunks[i].Bytes
		if i == 0 {
			b = b[r.fill:]
		}
		if len(b) > 0 {
			bufs = append(bufs, b)
			n += len(b)
		}
	}
	r.bufs = bufs
	return bufs, n
}

// advance goes on to the next chunk: the first one is full and parsed.
func (r *receiver) advance() {
	r.chunks[0].Drop()
	n := copy(r.chunks, r.chunks[1:])
	r.chunks[n] = nil
	r.chunks, r.fill = r.chunks[:n], 0
}

func (r *receiver) close() {
	for _, c := range r.chunks {
		c.Drop()
	}
	r.chunks, r.bufs = nil, nil
}

// receive is stages 1 to 6.
func (c *conn) receive() {
	for range maxReads {
		bufs, room := c.rx.room(c.expected)
		if room == 0 {
			c.fail(errNoMemory)
			return
		}
		n, err := c.watch.Socket.Readv(bufs)
		if err == loop.ErrAgain {
			break
		}
		if err == io.EOF {
			err = ErrClosed
		}
		if err == nil {
			c.heard = c.s.loop.Now()
			err = c.parse(n)
		}
		if err != nil {
			c.fail(err)
		}
		if c.dead != nil {
			return
		}
		if n < room {
			break
		}
	}
	c.pump()
}

// parse takes n new bytes, chunk by chunk.
func (c *conn) parse(n int) error {
	r := &c.rx
	for n > 0 {
		if r.fill == blockdev.ChunkSize {
			r.advance()
		}
		k := min(n, blockdev.ChunkSize-r.fill)
		n -= k
		lo := r.fill
		r.fill += k
		if err := c.parseChunk(r.chunks[0], lo, lo+k); err != nil || c.dead != nil {
			return err
		}
	}
	return nil
}

// parseChunk takes the new bytes lo to hi of a chunk, all of them.
func (c *conn) parseChunk(ch *blockdev.Chunk, lo, hi int) (err error) {
	r := &c.rx
	for lo < hi && err == nil && c.dead == nil {
		switch {
		case !r.inData && r.have == 0 && hi-lo >= pdu.BHSLen && r.plain(ch.Bytes[lo:]):
			err = c.header((*pdu.BHS)(ch.Bytes[lo:]))
			lo += pdu.BHSLen
		case !r.inData:
			var n int
			n, err = c.gather(ch.Bytes[lo:hi])
			lo += n
		case r.left > 0:
			n := min(r.left, hi-lo)
			err = c.segment(ch, lo, lo+n)
			lo += n
		default:
			n := copy(r.trail[r.pad+r.digestLen()-r.trailer:r.pad+r.digestLen()], ch.Bytes[lo:hi])
			r.trailer -= n
			lo += n
			err = c.endData()
		}
	}
	return err
}

// plain says that the header is just its 48 bytes.
func (r *receiver) plain(b []byte) bool { return !r.headerDigest && b[4] == 0 }

func (r *receiver) digestLen() int {
	if r.dataDigest {
		return pdu.DigestLen
	}
	return 0
}

// gather collects a header that is not plain, or was cut.
func (c *conn) gather(b []byte) (n int, err error) {
	r := &c.rx
	need := pdu.BHSLen
	for {
		if r.have >= pdu.BHSLen {
			need = pdu.BHSLen + pdu.AHSLen((*pdu.BHS)(r.head[:]))
			if r.headerDigest {
				need += pdu.DigestLen
			}
		}
		k := copy(r.head[r.have:need], b[n:])
		r.have += k
		n += k
		if r.have == need && need > pdu.BHSLen || r.have == need && r.plain(r.head[:]) {
			break
		}
		if n == len(b) {
			return n, nil
		}
	}
	r.have = 0
	if r.headerDigest {
		end := need - pdu.DigestLen
		if got, want := pdu.GetDigest(r.head[end:]), pdu.HeaderDigest(r.head[:end]); got != want {
			c.s.counters.HeaderDigestErrors++
			return n, &pdu.DigestError{Header: true, Got: got, Want: want}
		}
	}
	return n, c.header((*pdu.BHS)(r.head[:]))
}

// header is stage 3, and stage 5 at once if there is no data segment.
func (c *conn) header(b *pdu.BHS) error {
	r := &c.rx
	n := pdu.DataLen(b)
	if n > c.param.MaxRecvDataSegmentLength {
		return protocolError("a data segment of %d bytes, we allow %d", n, c.param.MaxRecvDataSegmentLength)
	}
	r.control = r.control[:0]
	if err := c.begin(b); err != nil {
		return err
	}
	if n == 0 {
		return c.end()
	}
	r.inData, r.left, r.crc = true, n, 0
	r.pad = pdu.Pad(n) - n
	r.trailer = r.pad + r.digestLen()
	return nil
}

// segment is stage 4, for a piece of the data segment.
func (c *conn) segment(ch *blockdev.Chunk, lo, hi int) error {
	r := &c.rx
	r.left -= hi - lo
	if r.dataDigest {
		r.crc = pdu.Digest(r.crc, ch.Bytes[lo:hi])
	}
	c.data(ch, lo, hi)
	if r.left > 0 || r.trailer > 0 {
		return nil
	}
	r.inData = false
	return c.end()
}

// endData is stage 5 for a PDU with padding or a digest.
func (c *conn) endData() error {
	r := &c.rx
	if r.trailer > 0 {
		return nil
	}
	if r.dataDigest {
		want := pdu.Digest(r.crc, r.trail[:r.pad])
		if got := pdu.GetDigest(r.trail[r.pad:]); got != want {
			c.s.counters.DataDigestErrors++
			return &pdu.DigestError{Got: got, Want: want}
		}
	}
	r.inData = false
	return c.end()
}
