package nbd

import "github.com/hawser-storage/hawser/blockdev"

// guaranteed is the READ payload that a connection may have in flight whatever the others do, in bytes. A client that does not
// read its replies may sit on the whole budget; it must not stop the others.
const guaranteed = 1 << 20

// volume is an export and the room that its connections share. Requests get their room in the order in which they asked: a READ
// the bytes of its reply, a WRITE all chunks of its payload at once, when its header is seen. So no two half-received requests
// wait for each other's memory.
type volume struct {
	server *Server
	export Export
	dev    blockdev.Device
	arena  *blockdev.Arena

	// The loop's own.
	quota     blockdev.Quota // chunks received into, until the requests in them are answered
	reading   uint64         // bytes of READs on the budget, until their replies are written
	waiting   []*conn        // first in line first
	scheduled bool           // Run is due
	asked     bool           // the arena will tell of the next free chunk

	clients int // guarded by the server's lock
}

func newVolume(s *Server, arena *blockdev.Arena, e Export) *volume {
	return &volume{server: s, export: e, dev: e.Device, arena: arena, quota: blockdev.Quota{Max: s.cfg.quota()}}
}

// first says whether c may take room now, others waiting or not.
func (v *volume) first(c *conn) bool { return len(v.waiting) == 0 || v.waiting[0] == c }

// admitRead returns the counter that n bytes were added to, the budget's or the connection's own; or nil, with c in line.
func (v *volume) admitRead(c *conn, n uint64) *uint64 {
	var from *uint64
	switch {
	case v.first(c) && v.reading+n <= uint64(v.server.cfg.Budget):
		from = &v.reading
	case c.reading+n <= guaranteed:
		from = &c.reading
	default:
		v.wait(c)
		return nil
	}
	v.leaveLine(c)
	*from += n
	return from
}

// admitBytes gives c's window room for n bytes beyond the parse position, or puts c in line.
func (v *volume) admitBytes(c *conn, n int) bool {
	if !c.win.has(n) && !(v.first(c) && c.win.reserve(n)) {
		v.wait(c)
		v.waitForChunk()
		return false
	}
	v.leaveLine(c)
	return true
}

func (v *volume) wait(c *conn) {
	if !c.inLine {
		c.inLine = true
		v.waiting = append(v.waiting, c)
	}
}

// leaveLine is for who got its room, or is no longer there. The next one may be luckier.
func (v *volume) leaveLine(c *conn) {
	if !c.inLine {
		return
	}
	c.inLine = false
	v.waiting = without(v.waiting, c)
	v.schedule()
}

func (v *volume) waitForChunk() {
	if !v.asked {
		v.asked = true
		v.arena.Wait(v)
	}
}

// ChunkFreed implements blockdev.Waiter.
func (v *volume) ChunkFreed() {
	v.asked = false
	v.schedule()
}

func (v *volume) schedule() {
	if len(v.waiting) > 0 && !v.scheduled {
		v.scheduled = true
		v.server.loop.Later(v)
	}
}

// Run lets those in line try again, until one fails.
func (v *volume) Run() {
	v.scheduled = false
	for len(v.waiting) > 0 {
		c := v.waiting[0]
		c.resume()
		if len(v.waiting) > 0 && v.waiting[0] == c {
			return
		}
	}
}
