package target

import "math/bits"

// The smallest and largest buffers that are kept, in bytes.
const (
	minBuffer = 512
	maxBuffer = maxTransfer
)

// buffers keeps memory for commands whose payload cannot live in the medium itself. It belongs to the loop. What it holds is bounded
// by what the commands in flight ever held together.
type buffers struct {
	free [32][][]byte // by the power of two
}

// get returns n bytes, of any content.
func (p *buffers) get(n int) []byte {
	c := bits.Len(uint(max(n, minBuffer) - 1))
	list := p.free[c]
	if len(list) == 0 {
		return make([]byte, n, 1<<c)
	}
	b := list[len(list)-1]
	p.free[c] = list[:len(list)-1]
	return b[:n]
}

// put takes back what get gave; other memory is left to the collector.
func (p *buffers) put(b []byte) {
	n := cap(b)
	if n < minBuffer || n > maxBuffer || n&(n-1) != 0 {
		return
	}
	c := bits.Len(uint(n - 1))
	p.free[c] = append(p.free[c], b[:0])
}
