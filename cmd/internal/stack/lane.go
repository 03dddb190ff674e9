package stack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/iscsi"
)

// Lanes are the loops of a process. Each target gets one of its own, up to the number of CPUs; then they share. The zero value is usable,
// by any goroutine.
type Lanes struct {
	mu      sync.Mutex
	lanes   []*lane
	leaving []*session // that nobody has any more, and that still log out
}

// lane is a loop with its arena, and the sessions on it.
type lane struct {
	lanes *Lanes
	loop  *loop.Loop
	ran   chan error
	arena *blockdev.Arena

	// Guarded by the lanes' lock.
	volumes  int
	targets  map[string]int // volumes that share a target's sessions, from before they have them
	promised int            // bytes of the arena that volumes may use
	mapped   int            // bytes of the arena
	sessions []*session
}

// session is one that volumes share. It is guarded by the lanes' lock.
type session struct {
	*iscsi.Session
	portal  iscsi.Portal
	target  string
	owner   string // "": the target
	options string // what it was made of, to compare
	users   int
	started bool
	gone    chan struct{} // closed when it has ended
}

func (s *session) is(portal iscsi.Portal, target, owner string) bool {
	return s.portal == portal && s.target == target && s.owner == owner
}

// take finds the lane of a volume, or makes one, with room for it.
func (ls *Lanes) take(cfg *Config) (*lane, error) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	l := ls.choose(cfg)
	if l == nil {
		var err error
		if l, err = newLane(ls); err != nil {
			return nil, err
		}
		ls.lanes = append(ls.lanes, l)
	}
	if err := l.makeRoom(cfg.Memory); err != nil {
		return nil, errors.Join(err, ls.endIfIdle(l))
	}
	l.volumes++
	if !cfg.ownSessions() {
		l.targets[cfg.Paths[0].Target]++
	}
	return l, nil
}

// choose is the lane that has, or is about to have, the target's sessions; or with a loop for every CPU the one with the fewest volumes; or none.
func (ls *Lanes) choose(cfg *Config) *lane {
	var least *lane
	for _, l := range ls.lanes {
		if !cfg.ownSessions() && l.targets[cfg.Paths[0].Target] > 0 {
			return l
		}
		if least == nil || l.volumes < least.volumes {
			least = l
		}
	}
	if len(ls.lanes) < runtime.NumCPU() {
		return nil
	}
	return least
}

func newLane(ls *Lanes) (*lane, error) {
	l, err := loop.New(loop.Config{})
	if err != nil {
		return nil, err
	}
	n := &lane{lanes: ls, loop: l, ran: make(chan error, 1), targets: map[string]int{}}
	if n.arena, err = blockdev.NewArena(blockdev.ChunkSize); err != nil {
		return nil, err
	}
	n.mapped = blockdev.ChunkSize
	if err := n.arena.Lock(); err != nil {
		slog.Debug("payload memory is not locked", "reason", err.Error())
	}
	go func() { n.ran <- l.Run() }()
	return n, nil
}

// makeRoom lets the arena grow if what is promised would not be there.
func (l *lane) makeRoom(n int) error {
	if grow := l.promised + n - l.mapped; grow > 0 {
		var err error
		if stopped := l.loop.Await(func(done func()) { err = l.arena.Grow(grow); done() }); stopped != nil {
			return stopped
		}
		if err != nil {
			return err
		}
		l.mapped += grow
	}
	l.promised += n
	return nil
}

// session finds the session of a path, or makes one. The caller has it until drop. One of the same name that still logs out goes first.
func (l *lane) session(ctx context.Context, cfg *Config, p PathConfig) (*session, error) {
	owner := ""
	if cfg.ownSessions() {
		owner = "volume " + cfg.Target()
	}
	for {
		s, before, err := l.find(cfg, p, owner)
		if before == nil {
			return s, err
		}
		select {
		case <-before.gone:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// find returns the session, or the one before it that has not ended.
func (l *lane) find(cfg *Config, p PathConfig, owner string) (s, before *session, err error) {
	l.lanes.mu.Lock()
	defer l.lanes.mu.Unlock()
	sc := cfg.Session
	sc.Portal, sc.TargetName, sc.Owner = p.Portal, p.Target, owner
	options := optionsOf(sc)
	same := func(s *session) bool { return s.is(p.Portal, p.Target, owner) }
	if i := slices.IndexFunc(l.lanes.leaving, same); i >= 0 {
		return nil, l.lanes.leaving[i], nil
	}
	if i := slices.IndexFunc(l.sessions, same); i >= 0 {
		s = l.sessions[i]
		if s.options != options {
			return nil, nil, fmt.Errorf("the session with %s by %s is there already, for another volume, with other options: use the same ones, or detach that volume", p.Target, p.Portal)
		}
		s.users++
		return s, nil, nil
	}
	made, err := iscsi.NewSession(l.loop, l.arena, sc)
	if err != nil {
		return nil, nil, err
	}
	s = &session{Session: made, portal: p.Portal, target: p.Target, owner: owner, options: options, users: 1, gone: make(chan struct{})}
	l.sessions = append(l.sessions, s)
	return s, nil, nil
}

// start lets a session begin, whichever of its volumes comes first. After an error the next one tries again.
func (l *lane) start(s *session) error {
	l.lanes.mu.Lock()
	defer l.lanes.mu.Unlock()
	if s.started {
		return nil
	}
	err := s.Start()
	s.started = err == nil
	return err
}

// optionsOf is what makes two configurations the same.
func optionsOf(c iscsi.Config) string {
	c.Logger, c.Dial = nil, nil
	return fmt.Sprintf("%+v", c)
}

// shared says whether other volumes have one of the sessions.
func (l *lane) shared(sessions []*session) bool {
	l.lanes.mu.Lock()
	defer l.lanes.mu.Unlock()
	mine := map[*session]int{}
	for _, s := range sessions {
		mine[s]++
	}
	for s, n := range mine {
		if s.users > n {
			return true
		}
	}
	return false
}

// drop gives a session up, and returns it if nobody has it any more: the caller closes it, with closeAll.
func (l *lane) drop(s *session) *session {
	l.lanes.mu.Lock()
	defer l.lanes.mu.Unlock()
	if s.users--; s.users > 0 {
		return nil
	}
	l.sessions = slices.DeleteFunc(l.sessions, func(o *session) bool { return o == s })
	l.lanes.leaving = append(l.lanes.leaving, s)
	return s
}

// ended lets those go on who wait for the end of a session.
func (ls *Lanes) ended(s *session) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ls.leaving = slices.DeleteFunc(ls.leaving, func(o *session) bool { return o == s })
	close(s.gone)
}

// leave ends a volume's part of the lane, and the lane with the last one. Memory that is still in use then is a leak, unless requests
// were given up.
func (l *lane) leave(cfg *Config, drained bool) error {
	l.lanes.mu.Lock()
	defer l.lanes.mu.Unlock()
	l.volumes--
	l.promised -= cfg.Memory
	if !cfg.ownSessions() {
		l.targets[cfg.Paths[0].Target]--
	}
	err := l.lanes.endIfIdle(l)
	if !drained {
		return nil
	}
	return err
}

// endIfIdle stops a lane that nobody is on.
func (ls *Lanes) endIfIdle(l *lane) error {
	if l.volumes > 0 {
		return nil
	}
	ls.lanes = slices.DeleteFunc(ls.lanes, func(o *lane) bool { return o == l })
	l.loop.Stop()
	return errors.Join(<-l.ran, l.arena.Close())
}

// closeAll closes sessions at the same time.
func (ls *Lanes) closeAll(ctx context.Context, sessions []*session, log *slog.Logger) {
	var wg sync.WaitGroup
	for _, s := range sessions {
		wg.Go(func() {
			defer ls.ended(s)
			if err := s.Close(ctx); err != nil {
				log.Warn("logout", "reason", err.Error())
			}
		})
	}
	wg.Wait()
}
