package target

import "github.com/hawser-storage/hawser/iscsi/pdu"

// recvRoom is what a receive buffer has beyond the longest PDU.
const recvRoom = 64 << 10

// inbuf is a connection's receive buffer: one piece of memory that holds the longest PDU and more. What is in it is bytes[r:w].
type inbuf struct {
	bytes []byte
	r, w  int
	need  int // length of the PDU that begins at r, as far as it is known
	vec   [1][]byte
}

func newInbuf(maxSegment int) inbuf {
	return inbuf{bytes: make([]byte, pdu.BHSLen+pdu.MaxAHSLen+pdu.Pad(maxSegment)+2*pdu.DigestLen+recvRoom)}
}

// space is where to read next. A long PDU that has begun is read to its end and no further, so that what follows begins at the start
// of the buffer and is not moved.
func (b *inbuf) space() [][]byte {
	if b.r == b.w {
		b.r, b.w = 0, 0
	}
	end := len(b.bytes)
	if b.need > recvRoom/2 {
		if b.r+b.need > len(b.bytes) {
			b.compact()
		}
		end = b.r + b.need
	} else if len(b.bytes)-b.w < recvRoom/2 {
		b.compact()
	}
	b.vec[0] = b.bytes[b.w:end]
	return b.vec[:]
}

func (b *inbuf) compact() {
	b.w = copy(b.bytes, b.bytes[b.r:b.w])
	b.r = 0
}
