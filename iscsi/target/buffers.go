package target

import (
	"math/bits"

	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// minBuffer is the smallest buffer, in bytes; the others are powers of two.
const minBuffer = 512

// buffers keeps memory for commands whose payload cannot live in the medium itself. It belongs to the loop. What it holds is bounded
// by what the commands in flight ever held together.
type buffers struct {
	free [32][][]byte // by the power of two
	lent int          // bytes
}

// maxLent bounds what all commands in flight hold together, in bytes.
const maxLent = 256 << 20

// get returns n bytes, of any content, or nil if too much is lent.
func (p *buffers) get(n int) []byte {
	c := bits.Len(uint(max(n, minBuffer) - 1))
	if p.lent+1<<c > maxLent {
		return nil
	}
	p.lent += 1 << c
	list := p.free[c]
	if len(list) == 0 {
		return make([]byte, n, 1<<c)
	}
	b := list[len(list)-1]
	p.free[c] = list[:len(list)-1]
	return b[:n]
}

// put takes back what get gave.
func (p *buffers) put(b []byte) {
	c := bits.Len(uint(cap(b) - 1))
	p.lent -= 1 << c
	p.free[c] = append(p.free[c], b[:0])
}

// borrow gets the task a buffer. Where there is none to be had the command is refused: the initiator tries again.
func (t *task) borrow(n int) {
	t.buf = t.conn.target.pool.get(n)
	t.borrowed = t.buf != nil
	if !t.borrowed {
		t.status, t.discard, t.rule = scsi.StatusTaskSetFull, true, nil
	}
}

func (t *task) giveBack() {
	if t.borrowed {
		t.conn.target.pool.put(t.buf)
	}
	t.buf, t.borrowed = nil, false
}
