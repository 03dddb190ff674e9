package mpio

import (
	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
)

// RoundRobin says how long requests stay on one path. A batch ends with the loop's turn, and earlier when either number is reached.
type RoundRobin struct {
	BatchRequests int // 0 is 16
	BatchBytes    int // 0 is 256 KiB
}

func (c RoundRobin) withDefaults() RoundRobin {
	if c.BatchRequests == 0 {
		c.BatchRequests = 16
	}
	if c.BatchBytes == 0 {
		c.BatchBytes = 256 << 10
	}
	return c
}

// requestCost is what a request costs a path besides its bytes, in bytes.
const requestCost = 16 << 10

// roundRobin gives each batch to the path that was given least so far.
//
// A turn's requests go by one path, so that they leave in one write; the next turn's by the next. At depth 1 that alternates
// requests. Plain rotation would not be fair: turns may be long and short by turns, and a large turn would leave the other paths
// idle. So a batch is bounded, and the choice goes by what each path was given (stride scheduling: a weight would divide the cost).
type roundRobin struct {
	cfg  RoundRobin
	loop *loop.Loop

	seen     *snapshot
	given    []uint64 // by index in seen
	current  int
	turn     uint64
	requests int // of the current batch
	bytes    uint64
}

func newRoundRobin(l *loop.Loop, cfg RoundRobin) *roundRobin { return &roundRobin{cfg: cfg, loop: l} }

func (p *roundRobin) String() string { return "round_robin" }

func (p *roundRobin) pick(s *snapshot, r *blockdev.Request) int {
	if s != p.seen {
		p.begin(s)
	}
	if p.over() {
		p.current = p.next()
		p.turn, p.requests, p.bytes = p.loop.Turns(), 0, 0
	}
	p.requests++
	n := payload(r)
	p.bytes += n
	p.given[p.current] += n + requestCost
	return p.current
}

// payload is what a path carries of a request. A TRIM of a whole disk is a few bytes on the wire.
func payload(r *blockdev.Request) uint64 {
	if r.Op == blockdev.Read || r.Op == blockdev.Write {
		return r.Length
	}
	return 0
}

func (p *roundRobin) begin(s *snapshot) {
	p.seen, p.given, p.current = s, make([]uint64, len(s.paths)), 0
	p.requests = p.cfg.BatchRequests // over at once
}

func (p *roundRobin) over() bool {
	return p.turn != p.loop.Turns() || p.requests >= p.cfg.BatchRequests || p.bytes >= uint64(p.cfg.BatchBytes)
}

// next is the path that was given least; of equals the first after the current one.
func (p *roundRobin) next() int {
	n := len(p.given)
	best := (p.current + 1) % n
	for i := 2; i <= n; i++ {
		if at := (p.current + i) % n; p.given[at] < p.given[best] {
			best = at
		}
	}
	return best
}
