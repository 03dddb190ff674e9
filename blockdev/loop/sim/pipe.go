package sim

import (
	"syscall"
	"time"
)

// The way of a byte through one direction of a connection:
//
//  1. write: it is taken into buf, as long as the window is open, and belongs to a segment
//  2. the segment is due after the link's latency; while the link is stalled it is held
//  3. arrive: the peer can read it
//  4. read: it leaves buf, and opens the window again; while the way back is stalled the window stays as it is

type segmentKind uint8

const (
	segData segmentKind = iota
	segFIN
	segRST
)

// segment is something on its way.
type segment struct {
	kind segmentKind
	size int // of segData
	at   time.Duration
}

// pipe is one direction of a connection.
type pipe struct {
	w        *World
	id       uint64
	link     *Link
	dir      Direction
	src, dst *end

	buf       []byte // owned: writes are copied in, reads out
	head      int    // buf[head:arrived] can be read, the rest is under way
	arrived   int
	window    int // bytes that may be outstanding
	used      int // bytes outstanding: written, and not acknowledged as read
	unacked   int // of them, read by the peer while the acknowledgement cannot come back
	segs      []segment
	first     int           // of segs
	next      event         // segs[first] is due
	last      time.Duration // when the last segment is due
	free      time.Duration // when the bandwidth allows the next one
	bandwidth int64
	short     float64
	held      bool // by a stall
	severed   bool // a RST from the way itself is coming
}

func newPipe(w *World, link *Link, dir Direction, src, dst *end) *pipe {
	p := &pipe{
		w: w, id: w.id(), link: link, dir: dir, src: src, dst: dst,
		window: w.Net.buffer(), bandwidth: w.Net.Bandwidth, short: w.Net.Short,
	}
	p.next.fire = p.deliver
	return p
}

// write takes as much of bufs as the window and the seed allow.
func (p *pipe) write(bufs [][]byte) int {
	total := 0
	for _, b := range bufs {
		total += len(b)
	}
	if total = min(total, p.window-p.used); total == 0 {
		return 0
	}
	total = p.w.part(total, p.short)
	left := total
	for _, b := range bufs {
		n := min(left, len(b))
		p.buf = append(p.buf, b[:n]...)
		left -= n
	}
	p.used += total
	cut := p.w.part(total, p.short)
	p.send(segData, cut)
	if cut < total {
		p.send(segData, total-cut)
	}
	return total
}

// send puts a segment on its way. None overtakes another.
func (p *pipe) send(kind segmentKind, size int) {
	leaves := max(p.w.now, p.free)
	if p.bandwidth > 0 {
		leaves += time.Duration(int64(size) * int64(time.Second) / p.bandwidth)
		p.free = leaves
	}
	p.last = max(p.last, leaves+p.link.delay())
	p.segs = append(p.segs, segment{kind, size, p.last})
	p.await()
}

// await sets the event of the first segment, unless it is set or a stall holds it.
func (p *pipe) await() {
	if p.first == len(p.segs) {
		p.segs, p.first = p.segs[:0], 0
		return
	}
	if !p.held && !p.next.pending() {
		p.w.set(&p.next, max(p.w.now, p.segs[p.first].at))
	}
}

// deliver hands the first segment to the peer.
func (p *pipe) deliver() {
	if p.link.stalled[p.dir] {
		p.held = true
		p.w.trace(p, "held by a stall", -1)
		return
	}
	s := p.segs[p.first]
	p.first++
	p.await()
	p.w.hash.add(p.id<<2 | uint64(s.kind))
	p.w.trace(p, s.kind.String(), s.size)
	switch s.kind {
	case segData:
		p.w.hash.addBytes(p.buf[p.arrived : p.arrived+s.size])
		p.arrived += s.size
		p.dst.received()
	case segFIN:
		p.dst.finished()
	case segRST:
		p.dst.broken(syscall.ECONNRESET)
	}
}

func (p *pipe) unread() int { return p.arrived - p.head }

// read fills bufs with as much as has arrived and the seed allows.
func (p *pipe) read(bufs [][]byte) int {
	room := 0
	for _, b := range bufs {
		room += len(b)
	}
	if room = min(room, p.unread()); room == 0 {
		return 0
	}
	n := p.w.part(room, p.short)
	from := p.buf[p.head : p.head+n]
	for _, b := range bufs {
		from = from[copy(b, from):]
	}
	p.head += n
	p.compact()
	p.unacked += n
	p.acknowledge()
	return n
}

func (p *pipe) compact() {
	if p.head < len(p.buf) && p.head < p.window {
		return
	}
	rest := copy(p.buf, p.buf[p.head:])
	p.buf = p.buf[:rest]
	p.arrived -= p.head
	p.head = 0
}

// acknowledge opens the window, unless the way back is stalled.
func (p *pipe) acknowledge() {
	if p.unacked > 0 && !p.link.stalled[1-p.dir] {
		p.used -= p.unacked
		p.unacked = 0
		p.src.tell()
	}
}

// release goes on after a stall.
func (p *pipe) release() {
	p.acknowledge()
	if p.held {
		p.held = false
		p.w.set(&p.next, p.w.now+p.w.upTo(retransmit))
	}
}

// reset ends the direction with a RST. Of what is under way the seed chooses how much still arrives before it.
func (p *pipe) reset() {
	under := p.segs[p.first:]
	kept := under[:p.w.rng.IntN(len(under)+1)]
	p.segs = p.segs[:p.first+len(kept)]
	size := p.arrived
	for _, s := range kept {
		size += s.size
	}
	p.buf = p.buf[:size]
	p.last, p.free = p.w.now, 0
	if len(kept) == 0 {
		p.w.unset(&p.next)
	} else {
		p.last = kept[len(kept)-1].at
	}
	p.send(segRST, 0)
}

// sever ends the direction with a RST from somewhere on the way: what was held or under way is gone.
func (p *pipe) sever() {
	p.purge()
	p.severed, p.last, p.free = true, 0, 0
	p.send(segRST, 0)
}

// purge empties the pipe.
func (p *pipe) purge() {
	p.w.unset(&p.next)
	p.buf, p.head, p.arrived = p.buf[:0], 0, 0
	p.segs, p.first = p.segs[:0], 0
	p.held = false
}
