package iscsi

import "github.com/hawser-storage/hawser/blockdev"

// payload is what a command sends: a request's segments, a few bytes of parameters, or zeroes.
type payload struct {
	segs  []blockdev.Segment // the submitter's, until the request completes
	param []byte             // parameters of the command; the task's or the caller's
	zero  bool               // as many zeroes as are asked for

	seg  int // segs[seg] begins at byte base: where the last call ended
	base uint32
}

// zeroes is what zero payloads point to.
var zeroes [64 << 10]byte

// each calls fn with the pieces from byte off, n bytes in all. The calls mostly go on where the last one ended.
func (p *payload) each(off, n uint32, fn func(b []byte)) {
	switch {
	case p.param != nil:
		fn(p.param[off : off+n])
	case p.zero:
		for n > 0 {
			k := min(n, uint32(len(zeroes)))
			fn(zeroes[:k])
			n -= k
		}
	default:
		p.eachSegment(off, n, fn)
	}
}

func (p *payload) eachSegment(off, n uint32, fn func(b []byte)) {
	if off < p.base {
		p.seg, p.base = 0, 0
	}
	for n > 0 {
		b := p.segs[p.seg].Bytes
		if off >= p.base+uint32(len(b)) {
			p.base += uint32(len(b))
			p.seg++
			continue
		}
		b = b[off-p.base:]
		if uint32(len(b)) > n {
			b = b[:n]
		}
		fn(b)
		off += uint32(len(b))
		n -= uint32(len(b))
	}
}
