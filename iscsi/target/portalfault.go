package target

import (
	"slices"

	"github.com/hawser-storage/hawser/blockdev/loop"
)

// portalFault is what is wrong with a portal.
type portalFault struct {
	downNow bool
	stalled bool
	waiting []loop.Gate // logins that a stalled portal leaves without a word
}

func (p *portalFault) up() bool { return !p.downNow }

// admit says whether a new connection may log in; a gate means to wait for it and ask again.
func (p *portalFault) admit(env loop.Env) (up bool, wait loop.Gate) {
	if p.stalled {
		wait = env.NewGate()
		p.waiting = append(p.waiting, wait)
	}
	return !p.downNow, wait
}

// release lets those who wait ask again.
func (p *portalFault) release() {
	p.stalled = false
	for _, g := range p.waiting {
		g.Open()
	}
	p.waiting = nil
}

// joined makes a connection whose login had begun before share the fate of the others.
func (p *portalFault) joined(c *conn) {
	switch {
	case p.downNow:
		c.close(true, "portal is down")
	case p.stalled:
		c.stall(true)
	}
}

// stall stops, or goes on with, reading and writing.
func (c *conn) stall(on bool) {
	c.stalled = on
	c.watchFor()
	if !on && !c.closed {
		c.parse()
	}
}

// Portals returns the addresses of the portals, in the order in which they were opened.
func (f *Faults) Portals() []string {
	var names []string
	f.onLoop(func() {
		for _, p := range f.target.portals {
			names = append(names, p.name)
		}
	})
	return names
}

// Drop closes the connections at a portal ("": at all), in order or with a reset. The portal stays up: initiators may come back.
func (f *Faults) Drop(addr string, rst bool) {
	f.eachConn(addr, func(c *conn) { c.close(rst, "dropped by a fault") })
}

// Down closes the connections at a portal and resets every new one, until Up.
func (f *Faults) Down(addr string, rst bool) {
	f.eachPortal(addr, func(p *portal) {
		p.fault.downNow = true
		p.fault.release()
		for _, c := range slices.Clone(p.conns) {
			c.close(rst, "portal is down")
		}
	})
}

// Stall stops a portal from reading and writing anything, logins included, while its connections stay open, until Up. What was
// received before is carried out.
func (f *Faults) Stall(addr string) {
	f.eachPortal(addr, func(p *portal) {
		p.fault.stalled = true
		for _, c := range slices.Clone(p.conns) {
			c.stall(true)
		}
	})
}

// Up ends Down and Stall. What waited at a stalled portal goes on.
func (f *Faults) Up(addr string) {
	f.eachPortal(addr, func(p *portal) {
		p.fault.downNow = false
		p.fault.release()
		for _, c := range slices.Clone(p.conns) {
			c.stall(false)
		}
	})
}

func (f *Faults) eachPortal(name string, fn func(*portal)) {
	f.onLoop(func() {
		for _, p := range f.target.portals {
			if name == "" || name == p.name {
				fn(p)
			}
		}
	})
}
