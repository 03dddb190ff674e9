package target

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"

	"github.com/hawser-storage/hawser/blockdev/loop"
)

// Target is one iSCSI target with its LUNs, at any number of portals. Its exported methods are for the control plane.
type Target struct {
	loop    *loop.Loop
	cfg     Config
	log     *slog.Logger
	forced  map[string]string // negotiable keys
	maxRecv int
	faults  *Faults

	violations violationLog

	// The loop's.
	luns     []*lun
	portals  []*portal
	sessions map[sessionKey]*session
	lastTSIH uint16
	pool     buffers
	workers  *workers // nil if no LUN is a file
	shut     bool
	dark     bool     // the power is off: nobody gets in
	live     int      // connections of which something is left: the socket, or a task
	over     []func() // told when live gets to 0
	groups   map[uint16]groupState

	// The control plane's.
	mu     sync.Mutex
	closed bool // nobody gets in any more
	gone   bool // nothing is left
	lns    []net.Listener
	logins map[net.Conn]struct{}
	idle   []func() // told when no login is left
}

// New makes a target that runs on l, which must be running by the time that anything else is called. It opens the LUNs.
func New(l *loop.Loop, cfg Config) (*Target, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	t := &Target{
		loop:     l,
		cfg:      cfg,
		log:      cfg.Logger.With("target", cfg.IQN),
		sessions: map[sessionKey]*session{},
		groups:   map[uint16]groupState{},
		logins:   map[net.Conn]struct{}{},
	}
	t.faults = &Faults{target: t}
	t.forced, t.maxRecv, _ = cfg.keys() // validated
	for i, spec := range cfg.LUNs {
		u, err := newLUN(cfg.IQN, i, spec)
		if err != nil {
			return nil, errors.Join(err, t.closeLUNs())
		}
		t.luns = append(t.luns, u)
		if u.mem == nil && t.workers == nil {
			t.workers = newWorkers(l)
		}
	}
	return t, nil
}

// Serve takes connections at ln, a portal of the portal group with the given tag, until Close, or until ln fails or is closed. It
// closes ln.
func (t *Target) Serve(ln net.Listener, tag uint16) error {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return errors.Join(errors.New("target: closed"), ln.Close())
	}
	t.lns = append(t.lns, ln)
	t.mu.Unlock()

	p := &portal{target: t, ln: ln, name: ln.Addr().String(), tag: tag}
	t.onLoop(func() {
		p.index = len(t.portals)
		t.portals = append(t.portals, p)
	})
	t.log.Info("portal opened", "portal", p.name, "tag", tag)
	return p.serve()
}

// Faults makes the target misbehave.
func (t *Target) Faults() *Faults { return t.faults }

// IQN is the target's name.
func (t *Target) IQN() string { return t.cfg.IQN }

// onLoop runs fn on the loop and waits for it. If the loop has ended it does nothing.
func (t *Target) onLoop(fn func()) {
	_ = t.loop.Await(func(done func()) {
		fn()
		done()
	})
}

func (t *Target) closing() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed
}

// enter registers a login.
func (t *Target) enter(c net.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.logins[c] = struct{}{}
	return true
}

func (t *Target) leave(c net.Conn) {
	t.mu.Lock()
	delete(t.logins, c)
	var idle []func()
	if len(t.logins) == 0 {
		idle, t.idle = t.idle, nil
	}
	t.mu.Unlock()
	for _, fn := range idle {
		fn()
	}
}

// Close ends every session and every Serve, waits for logins and for I/O on files, and gives back what the LUNs hold. The loop must be
// running. When ctx ends first Close returns its error and the LUNs stay open: it may be called again.
func (t *Target) Close(ctx context.Context) error {
	t.closeDoors()
	over := t.loop.Env().NewGate()
	defer context.AfterFunc(ctx, over.Open)()
	t.onLoop(t.shutDown)
	t.whenIdle(func() {
		if !t.loop.Post(func() { t.whenOver(over.Open) }) {
			over.Open()
		}
	})
	over.Wait()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("target: close: %w", err)
	}
	return t.finish()
}

// closeDoors lets nobody in any more.
func (t *Target) closeDoors() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, ln := range t.lns {
		_ = ln.Close() // Serve returns
	}
	t.lns = nil
	for c := range t.logins {
		_ = c.Close() // its login fails
	}
}

// whenIdle calls fn when no login is left.
func (t *Target) whenIdle(fn func()) {
	t.mu.Lock()
	wait := len(t.logins) > 0
	if wait {
		t.idle = append(t.idle, fn)
	}
	t.mu.Unlock()
	if !wait {
		fn()
	}
}

// finish gives everything back, once.
func (t *Target) finish() (err error) {
	t.mu.Lock()
	again := t.gone
	t.gone = true
	t.mu.Unlock()
	if again {
		return nil
	}
	if t.workers != nil {
		t.workers.stop()
	}
	ended := t.loop.Await(func(done func()) {
		err = t.closeLUNs()
		done()
	})
	if ended != nil {
		err = t.closeLUNs() // nobody else is there any more
	}
	return err
}

// shutDown ends on the loop what is there.
func (t *Target) shutDown() {
	t.shut = true
	for _, p := range t.portals {
		p.fault.release()
	}
	t.endAll(false, "target closed")
}

// endAll ends every session, with a reset if abort is set, and all tasks, even those that a rule keeps.
func (t *Target) endAll(abort bool, why string) {
	for _, p := range t.portals {
		for _, c := range slices.Clone(p.conns) {
			c.close(abort, why)
			c.abortAll()
			c.checkOver()
		}
	}
	sessions := slices.SortedFunc(maps.Values(t.sessions), func(a, b *session) int { return int(a.tsih) - int(b.tsih) })
	for _, s := range sessions {
		s.end(func() {})
	}
}

// whenOver calls fn when nothing is left of any connection.
func (t *Target) whenOver(fn func()) {
	if t.live == 0 {
		fn()
		return
	}
	t.over = append(t.over, fn)
}

func (t *Target) closeLUNs() error {
	var errs []error
	for _, l := range t.luns {
		errs = append(errs, l.close())
	}
	t.luns = nil
	return errors.Join(errs...)
}
