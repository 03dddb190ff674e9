package nbd

import "github.com/hawser-storage/hawser/blockdev"

// What each connection has for itself, whatever the others do: a client that does not read its replies may sit on all the room
// for READs, and one that stops within a WRITE on all the room for WRITEs. They must not stop the others.
const (
	ownReading = 1 << 20 // bytes of READs
	ownChunks  = 5       // chunks to receive into: a WRITE of 256 KiB
)

// volume is an export and the room that its connections share. Room is given in the order in which it was asked for: to a READ
// the bytes of its reply, to a WRITE all chunks of its payload at once, when its header is seen. So no two half-received
// requests wait for each other's memory.
type volume struct {
	server *Server
	export Export
	dev    blockdev.Device
	arena  *blockdev.Arena

	// The loop's own.
	quota     blockdev.Quota // chunks received into, until the requests in them are answered
	reading   uint64         // bytes of READs on the budget, until their replies are written
	readers   line           // for room in reading
	writers   line           // for chunks
	scheduled bool           // Run is due
	asked     bool           // the arena will tell of the next free chunk

	clients int // guarded by the server's lock
}

func newVolume(s *Server, arena *blockdev.Arena, e Export) *volume {
	return &volume{server: s, export: e, dev: e.Device, arena: arena, quota: blockdev.Quota{Max: s.cfg.quota()}}
}

// line is the connections that wait, the first in line first. A connection is in one line at most.
type line []*conn

// open says whether c may take room now, as others have waited longer or not.
func (l line) open(c *conn) bool { return len(l) == 0 || l[0] == c }

func (l *line) join(c *conn) {
	if c.line == nil {
		c.line = l
		*l = append(*l, c)
	}
}

// leaveLine is for who got its room, or is no longer there. The next one may be luckier.
func (v *volume) leaveLine(c *conn) {
	if c.line != nil {
		*c.line = without(*c.line, c)
		c.line = nil
		v.schedule()
	}
}

// admitRead returns the counter that n bytes were added to, the budget's or the connection's own; or nil, with c in line.
func (v *volume) admitRead(c *conn, n uint64) *uint64 {
	var from *uint64
	switch {
	case v.readers.open(c) && v.reading+n <= uint64(v.server.cfg.Budget):
		from = &v.reading
	case c.reading+n <= ownReading:
		from = &c.reading
	default:
		v.readers.join(c)
		return nil
	}
	v.leaveLine(c)
	*from += n
	return from
}

// admitBytes gives c's window room for n bytes beyond the parse position, or puts c in line.
func (v *volume) admitBytes(c *conn, n int) bool {
	if c.win.reserve(n, v.writers.open(c)) {
		v.leaveLine(c)
		return true
	}
	v.writers.join(c)
	if !v.asked {
		v.asked = true
		v.arena.Wait(v)
	}
	return false
}

// ChunkFreed implements blockdev.Waiter.
func (v *volume) ChunkFreed() {
	v.asked = false
	v.schedule()
}

func (v *volume) schedule() {
	if len(v.readers)+len(v.writers) > 0 && !v.scheduled {
		v.scheduled = true
		v.server.loop.Later(v)
	}
}

// Run lets those in line try again, until one fails.
func (v *volume) Run() {
	v.scheduled = false
	v.readers.move()
	v.writers.move()
}

func (l *line) move() {
	for len(*l) > 0 {
		c := (*l)[0]
		c.resume()
		if len(*l) > 0 && (*l)[0] == c {
			return
		}
	}
}
