package target

import "github.com/hawser-storage/hawser/iscsi/scsi"

// LUNCounters count what was asked of a LUN since the target was made.
type LUNCounters struct {
	Commands   [256]uint64 // by operation code
	ReadBytes  uint64      // sent as Data-In
	WroteBytes uint64      // taken as Data-Out
	R2Ts       uint64
	Syncs      uint64 // SYNCHRONIZE CACHE
	Unmaps     uint64 // UNMAP, and WRITE SAME with UNMAP
	FUAWrites  uint64
	Failures   uint64 // commands that did not end with GOOD or CONDITION MET
}

// Count is how many commands had the operation code.
func (c *LUNCounters) Count(op scsi.Opcode) uint64 { return c.Commands[op] }

// PortalCounters count what went through a portal.
type PortalCounters struct {
	Portal     string // address
	Tag        uint16 // portal group
	Logins     uint64 // that succeeded
	Refused    uint64 // logins that failed
	Sessions   int    // now
	Commands   uint64
	ReadBytes  uint64
	WroteBytes uint64
	R2Ts       uint64
	NOPOuts    uint64
	TaskMgmt   uint64
}

// Snapshot is the state of all counters at one moment.
type Snapshot struct {
	LUNs    []LUNCounters
	Portals []PortalCounters
}

// Snapshot reads all counters. It is for the control plane; after Close it is empty.
func (t *Target) Snapshot() Snapshot {
	var s Snapshot
	t.onLoop(func() {
		for _, l := range t.luns {
			s.LUNs = append(s.LUNs, l.counters)
		}
		for _, p := range t.portals {
			c := p.counters
			c.Portal, c.Tag, c.Sessions = p.name, p.tag, len(p.conns)
			s.Portals = append(s.Portals, c)
		}
	})
	return s
}
