package target

// Gated is a medium whose writes say that they have begun, then wait.
type Gated struct {
	medium
	Entered chan struct{}
	Gate    chan struct{}
}

func (g *Gated) WriteAt(p []byte, off int64) (int, error) {
	g.Entered <- struct{}{}
	<-g.Gate
	return g.medium.WriteAt(p, off)
}

// GateWrites puts a gate before the writes to a LUN that is a file.
func (t *Target) GateWrites(lun int) *Gated {
	g := &Gated{Entered: make(chan struct{}, 10), Gate: make(chan struct{})}
	t.onLoop(func() {
		g.medium = t.luns[lun].medium
		t.luns[lun].medium = g
	})
	return g
}

// Adopted says whether the session with this handle has a connection on the loop. An initiator that has read the last login response may be
// some moments ahead of that, and a fault that is for every session passes it by.
func (t *Target) Adopted(tsih uint16) (yes bool) {
	t.onLoop(func() {
		for _, p := range t.portals {
			for _, c := range p.conns {
				yes = yes || c.session.tsih == tsih
			}
		}
	})
	return yes
}
