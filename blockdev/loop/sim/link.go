package sim

import (
	"slices"
	"time"
)

// Direction is one way along a link.
type Direction uint8

// The directions.
const (
	ToServer Direction = iota // from who dialled to who listens
	ToClient                  // back
)

func (d Direction) String() string {
	if d == ToServer {
		return "to server"
	}
	return "to client"
}

// retransmit bounds the time after which what a stall held back is sent again: TCP does not learn at once that the way is free.
const retransmit = 200 * time.Millisecond

// Link is the way to one address. Every connection that is dialled to the address runs over it, and shares its faults.
type Link struct {
	w       *World
	addr    string
	stalled [2]bool // by Direction
	refuses bool
	own     bool // latency and jitter are its own
	latency time.Duration
	jitter  time.Duration

	conns []*connection // with an open end
	held  []*dial       // that a stall keeps waiting
}

// Link is the way to addr, which need not exist yet.
func (w *World) Link(addr string) *Link {
	addr = canonical(addr)
	l := w.links[addr]
	if l == nil {
		l = &Link{w: w, addr: addr}
		w.links[addr] = l
	}
	return l
}

// Latency gives the link a latency and jitter of its own, from now on.
func (l *Link) Latency(d, jitter time.Duration) { l.own, l.latency, l.jitter = true, d, jitter }

// Stall makes the link silent: nothing gets through, and nobody is told. What is sent meanwhile is held, as far as the buffers
// go, and arrives after Up.
func (l *Link) Stall() {
	l.StallOneWay(ToServer)
	l.StallOneWay(ToClient)
}

// StallOneWay makes the link silent in one direction.
func (l *Link) StallOneWay(d Direction) {
	l.stalled[d] = true
	l.w.trace(l, "stall", -1)
}

// Reset breaks every connection over the link with a reset to both ends, and refuses new ones until Up. It ends a stall.
func (l *Link) Reset() {
	l.refuses = true
	l.stalled = [2]bool{}
	l.w.trace(l, "reset", -1)
	for _, c := range slices.Clone(l.conns) {
		for i := range c.pipes {
			c.pipes[i].sever()
		}
	}
	l.release()
}

// Up ends every fault of the link. What a stall held back is sent again within 200 ms, in order; what was reset stays broken.
func (l *Link) Up() {
	l.refuses = false
	l.stalled = [2]bool{}
	l.w.trace(l, "up", -1)
	l.release()
}

func (l *Link) release() {
	for _, c := range slices.Clone(l.conns) {
		for i := range c.pipes {
			c.pipes[i].release()
		}
	}
	for _, d := range l.held {
		l.w.set(&d.hop, l.w.now+l.w.upTo(retransmit))
	}
	l.held = l.held[:0]
}

// delay is how long one thing takes one way: never no time at all, so that a busy network moves the clock.
func (l *Link) delay() time.Duration {
	latency, jitter := l.w.Net.Latency, l.w.Net.Jitter
	if l.own {
		latency, jitter = l.latency, l.jitter
	}
	return max(time.Nanosecond, latency+l.w.upTo(jitter))
}

func (l *Link) String() string {
	s := "link " + l.addr + ": "
	switch {
	case l.refuses:
		return s + "refuses"
	case l.stalled[ToServer] && l.stalled[ToClient]:
		return s + "stalled"
	case l.stalled[ToServer]:
		return s + "stalled to server"
	case l.stalled[ToClient]:
		return s + "stalled to client"
	}
	return s + "up"
}
