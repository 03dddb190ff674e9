package target

import "github.com/hawser-storage/hawser/iscsi/pdu"

const (
	windowPDUs  = 128
	windowBytes = 512 << 10
	slotLen     = 64 // BHS, header digest, padding, data digest
	trailerAt   = pdu.BHSLen + pdu.DigestLen
)

// window is what is on its way to the socket: some encoded PDUs, as a vector for one writev. It is filled when it is empty.
type window struct {
	slots  [windowPDUs * slotLen]byte
	vector [3 * windowPDUs][]byte
	used   int // PDUs
	filled int // of vector
	head   int // of vector: what is written
	bytes  int
	done   []*task // whose last PDU is in here
}

func (w *window) full() bool  { return w.used == windowPDUs || w.bytes >= windowBytes }
func (w *window) empty() bool { return w.head == w.filled }

// header gives the room for the next PDU's header.
func (w *window) header() *pdu.BHS {
	return (*pdu.BHS)(w.slots[w.used*slotLen:])
}

// add puts in the PDU whose header was just encoded, with its data, which stays where it is until the window is empty again.
func (w *window) add(data []byte, headerDigest, dataDigest bool) {
	slot := w.slots[w.used*slotLen : (w.used+1)*slotLen]
	n := pdu.BHSLen
	if headerDigest {
		pdu.PutDigest(slot[n:], pdu.Digest(0, slot[:n]))
		n += pdu.DigestLen
	}
	w.put(slot[:n])
	w.used++
	if len(data) == 0 {
		return
	}
	w.put(data)
	pad := pdu.Pad(len(data)) - len(data)
	if pad == 0 && !dataDigest {
		return
	}
	trailer := slot[trailerAt : trailerAt+pad]
	clear(trailer)
	if dataDigest {
		crc := pdu.Digest(pdu.Digest(0, data), trailer)
		trailer = slot[trailerAt : trailerAt+pad+pdu.DigestLen]
		pdu.PutDigest(trailer[pad:], crc)
	}
	w.put(trailer)
}

func (w *window) put(b []byte) {
	w.vector[w.filled] = b
	w.filled++
	w.bytes += len(b)
}

// rest is what is not written yet.
func (w *window) rest() [][]byte { return w.vector[w.head:w.filled] }

// wrote takes n bytes off the front.
func (w *window) wrote(n int) {
	for n > 0 {
		b := w.vector[w.head]
		if n < len(b) {
			w.vector[w.head] = b[n:]
			return
		}
		n -= len(b)
		w.vector[w.head] = nil
		w.head++
	}
}

// reset makes an empty window ready to be filled.
func (w *window) reset() {
	w.used, w.filled, w.head, w.bytes = 0, 0, 0, 0
}
