package mpio

import (
	"time"

	"github.com/hawser-storage/hawser/blockdev"
)

// OpStats counts the requests of one operation on one path.
type OpStats struct {
	Requests uint64 // given to the path
	Bytes    uint64 // of those that succeeded
	Errors   uint64 // completed by the path with an error
	InFlight int
}

// PathStats is what a path carried.
type PathStats struct {
	Ops       [blockdev.NumOps]OpStats // by blockdev.Op
	Retries   uint64                   // requests sent by this path again
	Failovers uint64                   // requests that left it for another path, or to wait for one
}

func (s *PathStats) sent(r *blockdev.Request) {
	op := &s.Ops[r.Op]
	op.Requests++
	op.InFlight++
}

func (s *PathStats) returned(r *blockdev.Request, err error) {
	op := &s.Ops[r.Op]
	op.InFlight--
	if err != nil {
		op.Errors++
		return
	}
	op.Bytes += r.Length
}

// Total is the sum over all operations.
func (s *PathStats) Total() (t OpStats) {
	for i := range s.Ops {
		t.Requests += s.Ops[i].Requests
		t.Bytes += s.Ops[i].Bytes
		t.Errors += s.Ops[i].Errors
		t.InFlight += s.Ops[i].InFlight
	}
	return t
}

// PathStatus is a path at one moment.
type PathStatus struct {
	Path   string
	State  State
	Reason error // for the state; may be nil
	Since  time.Time
	Stats  PathStats
}

// Status is a volume at one moment.
type Status struct {
	Volume   string
	Policy   string
	Paths    []PathStatus
	Requests int  // that the volume has now
	Waiting  int  // of them, for a path
	Failing  bool // no path came back within NoPathRetry: requests fail at once
	Losses   uint64
	Orphans  uint64 // requests that ended on a path with an unknown outcome, ever

	Quarantined int // orphans that may still be carried out
	Held        int // requests that wait for one of them
}

// Snapshot takes a Status and gives it to fn, on the loop. It reports whether it will: false if the loop has ended.
func (d *Device) Snapshot(fn func(Status)) bool {
	return d.loop.Post(func() { fn(d.status()) })
}

// Stats is the volume now. It is for the control plane; the only error is that the loop has ended.
func (d *Device) Stats() (s Status, err error) {
	err = d.onLoop(func() { s = d.status() })
	return s, err
}

// Paths is the paths now, in the order in which they were given to New. The same holds as for Stats.
func (d *Device) Paths() ([]PathStatus, error) {
	s, err := d.Stats()
	return s.Paths, err
}

func (d *Device) status() Status {
	s := Status{
		Volume: d.cfg.Name, Policy: d.policy.String(),
		Requests: d.busy, Waiting: d.waiting.len(), Failing: d.noPath.expired,
		Losses: d.cache.losses, Orphans: d.quarantine.total, Quarantined: len(d.quarantine.orphans), Held: len(d.quarantine.held),
	}
	for _, m := range d.members {
		s.Paths = append(s.Paths, PathStatus{Path: m.name, State: m.state, Reason: m.reason, Since: m.since, Stats: m.stats})
	}
	return s
}
