package nbd

import "github.com/hawser-storage/hawser/blockdev"

// Stats counts since the server was made.
type Stats struct {
	Connections int // now in the transmission phase, or with requests still in flight
	InFlight    int // requests received and not yet answered

	Ops     [blockdev.NumOps]OpStats // by blockdev.Op
	Refused uint64                   // requests that made no sense, answered and never given to a device

	// CopiedBytes is what was copied in userspace: headers that lie across two chunks. Payload never is.
	CopiedBytes uint64
}

// OpStats counts the requests of one kind that a device answered.
type OpStats struct {
	Requests uint64
	Bytes    uint64 // of those without an error
	Errors   uint64
}

// Stats asks the loop.
func (s *Server) Stats() (st Stats, err error) {
	err = s.loop.Await(func(done func()) {
		st = s.stats
		st.Connections = len(s.conns)
		for _, c := range s.conns {
			st.InFlight += c.inFlight
		}
		done()
	})
	return st, err
}

// count notes the end of a request that a device had.
func (s *Stats) count(op blockdev.Op, bytes uint64, err error) {
	o := &s.Ops[op]
	o.Requests++
	if err != nil {
		o.Errors++
		return
	}
	o.Bytes += bytes
}
