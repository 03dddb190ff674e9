package sim

import (
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/hawser-storage/hawser/blockdev/loop"
)

// poller is the loop.Poller of one loop, level-triggered. Sockets that may be ready are on active; Wait looks at those alone.
type poller struct {
	w      *World
	turner *turner // nil for a loop that the world does not turn
	active []*end
	woken  atomic.Bool
}

// NewPoller is for loop.New; see [World.NewLoop].
func (w *World) NewPoller() (loop.Poller, error) {
	w.newborn = &poller{w: w}
	return w.newborn, nil
}

func (p *poller) Adopt(c net.Conn) (loop.Socket, error) {
	sc, ok := c.(*Conn)
	if !ok || sc.end.w != p.w {
		return nil, fmt.Errorf("sim: a %T is no connection of this world", c)
	}
	return sc.handOver()
}

func (p *poller) Watch(w *loop.Watch, want loop.Events) error {
	s, ok := w.Socket.(*socket)
	if !ok {
		return fmt.Errorf("sim: a %T is no socket of this world", w.Socket)
	}
	s.end.watch, s.end.want, s.end.poller = w, want, p
	s.end.tell()
	return nil
}

func (p *poller) Forget(w *loop.Watch) {
	w.Socket.(*socket).end.watch = nil
}

// activate notes that e may be ready, and has the loop look.
func (p *poller) activate(e *end) {
	if !e.active {
		e.active = true
		p.active = append(p.active, e)
	}
	p.arrive()
}

// anyReady drops from active what is not ready, and reports whether anything is left.
func (p *poller) anyReady() bool {
	kept := p.active[:0]
	for _, e := range p.active {
		if e.active = e.told() != 0; e.active {
			kept = append(kept, e)
		}
	}
	clear(p.active[len(kept):])
	p.active = kept
	return len(kept) > 0
}

// Wait reports all that is ready, in an order that the seed chooses.
func (p *poller) Wait(ready []*loop.Watch, timeout time.Duration) ([]*loop.Watch, error) {
	if timeout != 0 {
		return ready, errBlocking
	}
	p.woken.Store(false)
	p.anyReady()
	for _, e := range p.active {
		e.watch.Ready = e.told()
		ready = append(ready, e.watch)
	}
	if len(ready) > 1 {
		p.w.rng.Shuffle(len(ready), func(i, j int) { ready[i], ready[j] = ready[j], ready[i] })
	}
	return ready, nil
}

func (p *poller) Wake() {
	if !p.woken.Swap(true) {
		p.w.mail.put(p)
	}
}

func (p *poller) arrive() {
	if p.turner != nil {
		p.turner.schedule()
	}
}

func (p *poller) Close() error { return nil }

// socket is the loop.Socket on one end of a connection.
type socket struct{ end *end }

var _ loop.Socket = (*socket)(nil)

func (s *socket) Readv(bufs [][]byte) (int, error)  { return s.end.read(bufs) }
func (s *socket) Writev(bufs [][]byte) (int, error) { return s.end.write(bufs) }
func (s *socket) Close() error                      { return s.end.close() }
func (s *socket) Abort() error                      { return s.end.abort() }
