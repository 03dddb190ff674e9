package nbd

import (
	"math"

	"github.com/hawser-storage/hawser/blockdev"
)

// cutDepth is how many pieces of one request are in flight at a time.
const cutDepth = 8

// cut is a request on its way in pieces, because it is larger than the device takes. It fails as a whole when one piece fails:
// then no further piece is sent, and those in flight are waited for. A piece is never sent again.
type cut struct {
	cmd    *command
	limit  uint64 // bytes of a piece
	grain  uint64 // pieces end at multiples of this, counted from align; 1: anywhere
	align  uint64
	next   uint64 // first byte that is not sent
	left   uint64 // bytes that are not sent
	source source
	sent   uint64 // pieces; piece i is in slot i modulo cutDepth
	ended  uint64 // pieces whose predecessors have ended too
	err    error  // the first
	pieces [cutDepth]piece
}

// piece is one of them.
type piece struct {
	cut  *cut
	req  blockdev.Request
	done bool
}

// limitOf is the largest request that the device takes.
func limitOf(op blockdev.Op, info *blockdev.Info) uint64 {
	var n uint64
	switch op {
	case blockdev.Read, blockdev.Write:
		n = info.Limits.MaxTransfer
	case blockdev.Trim:
		n = info.Limits.MaxTrim
	case blockdev.WriteZeroes:
		n = info.Limits.MaxWriteZeroes
	}
	if n == 0 {
		return math.MaxUint64
	}
	block := uint64(info.BlockSize)
	return max(n/block*block, block)
}

// grainOf is where pieces should end. A TRIM that is cut within a grain leaves that grain allocated.
func grainOf(op blockdev.Op, limit uint64, info *blockdev.Info) (grain, align uint64) {
	l, block := &info.Limits, uint64(info.BlockSize)
	if op != blockdev.Trim || l.TrimGranularity == 0 || l.TrimGranularity > limit {
		return 1, 0
	}
	if l.TrimGranularity%block != 0 || l.TrimAlignment%block != 0 {
		return 1, 0
	}
	return l.TrimGranularity, l.TrimAlignment % l.TrimGranularity
}

// cut sends the command in pieces.
func (cmd *command) cut(limit uint64, info *blockdev.Info) {
	s := cmd.conn.takeCut()
	s.cmd, s.limit = cmd, limit
	s.grain, s.align = grainOf(cmd.op, limit, info)
	s.next, s.left = cmd.req.Offset, cmd.req.Length
	s.source = source{segs: cmd.req.Data}
	cmd.kept = cmd.op == blockdev.Read
	s.send()
}

// send fills the slots that are free.
func (s *cut) send() {
	for s.err == nil && s.left > 0 && s.sent-s.ended < cutDepth {
		n := s.length()
		p := &s.pieces[s.sent%cutDepth]
		s.sent++
		p.done = false
		r := &p.req
		r.Op, r.Flags, r.Offset, r.Length = s.cmd.req.Op, s.cmd.req.Flags, s.next, n
		r.Data = s.source.take(r.Data[:0], n)
		s.next += n
		s.left -= n
		r.Push(p)
		s.cmd.conn.vol.dev.Submit(r)
	}
}

// length is that of the next piece: up to the limit, and if it is not the last, to a grain's end if it reaches one.
func (s *cut) length() uint64 {
	n := min(s.left, s.limit)
	if n == s.left {
		return n
	}
	if over := (s.next + n + s.grain - s.align) % s.grain; over < n {
		return n - over
	}
	return n
}

// Completed implements blockdev.Completer.
func (p *piece) Completed(r *blockdev.Request, err error) {
	s := p.cut
	p.done = true
	if err == nil && r.Op == blockdev.Read {
		err = keepAll(r)
	}
	if err != nil {
		r.Data = r.Data[:0] // only lent
		if s.err == nil {
			s.err = err
		}
	}
	s.retire()
	if s.ended == s.sent && (s.left == 0 || s.err != nil) {
		s.finish()
		return
	}
	s.send()
}

// keepAll keeps what a piece has read until the whole can be answered.
func keepAll(r *blockdev.Request) error {
	if blockdev.SegmentsLen(r.Data) != r.Length {
		return errShortRead
	}
	for _, g := range r.Data {
		g.Keep()
	}
	return nil
}

// retire takes the pieces that ended, in order, and hands what they read to the command.
func (s *cut) retire() {
	for s.ended < s.sent && s.pieces[s.ended%cutDepth].done {
		p := &s.pieces[s.ended%cutDepth]
		if p.req.Op == blockdev.Read {
			s.cmd.req.Data = append(s.cmd.req.Data, p.req.Data...)
			clear(p.req.Data)
			p.req.Data = p.req.Data[:0]
		}
		s.ended++
	}
}

func (s *cut) finish() {
	cmd, err := s.cmd, s.err
	if err != nil && cmd.kept {
		cmd.dropData()
		cmd.kept = false
	}
	s.cmd, s.err, s.source = nil, nil, source{}
	cmd.conn.cuts = append(cmd.conn.cuts, s)
	cmd.completed(err)
}

func (c *conn) takeCut() *cut {
	if n := len(c.cuts); n > 0 {
		s := c.cuts[n-1]
		c.cuts = c.cuts[:n-1]
		return s
	}
	s := &cut{}
	for i := range s.pieces {
		s.pieces[i].cut = s
	}
	return s
}

// source hands out the payload of a WRITE from the front, in parts of segments. The references stay with the command.
type source struct {
	segs []blockdev.Segment
	off  int // bytes of segs[0] handed out
}

// take appends the next n bytes to dst, or nothing if there are none.
func (s *source) take(dst []blockdev.Segment, n uint64) []blockdev.Segment {
	for n > 0 && len(s.segs) > 0 {
		g := s.segs[0]
		rest := g.Bytes[s.off:]
		if uint64(len(rest)) > n {
			rest = rest[:n:n]
			s.off += int(n)
		} else {
			s.segs, s.off = s.segs[1:], 0
		}
		n -= uint64(len(rest))
		g.Bytes = rest
		dst = append(dst, g)
	}
	return dst
}
