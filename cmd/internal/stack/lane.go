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
	mu    sync.Mutex
	lanes []*lane
}

// lane is a loop with its arena, and the sessions on it.
type lane struct {
	lanes *Lanes
	loop  *loop.Loop
	ran   chan error
	arena *blockdev.Arena

	// Guarded by the lanes' lock.
	volumes  int
	promised int // bytes of the arena that volumes may use
	mapped   int // bytes of the arena
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
	return l, nil
}

// choose is the lane that has the target's sessions; or with a loop for every CPU the one with the fewest volumes; or none.
func (ls *Lanes) choose(cfg *Config) *lane {
	var least *lane
	for _, l := range ls.lanes {
		shares := func(s *session) bool { return s.target == cfg.Paths[0].Target && s.owner == "" }
		if !cfg.ownSessions() && slices.ContainsFunc(l.sessions, shares) {
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
	n := &lane{lanes: ls, loop: l, ran: make(chan error, 1)}
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

// session finds the session of a path, or makes one, which is not started. The caller has it until drop.
func (l *lane) session(cfg *Config, p PathConfig) (s *session, fresh bool, err error) {
	l.lanes.mu.Lock()
	defer l.lanes.mu.Unlock()
	sc := cfg.Session
	sc.Portal, sc.TargetName = p.Portal, p.Target
	owner := ""
	if cfg.ownSessions() {
		owner = "volume " + cfg.Target()
		sc.Owner = owner
	}
	options := optionsOf(sc)
	for _, s := range l.sessions {
		if s.portal != p.Portal || s.target != p.Target || s.owner != owner {
			continue
		}
		if s.options != options {
			return nil, false, fmt.Errorf("the session with %s by %s is there already, for another volume, with other options: use the same ones, or detach that volume", p.Target, p.Portal)
		}
		s.users++
		return s, false, nil
	}
	made, err := iscsi.NewSession(l.loop, l.arena, sc)
	if err != nil {
		return nil, false, err
	}
	s = &session{Session: made, portal: p.Portal, target: p.Target, owner: owner, options: options, users: 1}
	l.sessions = append(l.sessions, s)
	return s, true, nil
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

// drop gives a session up, and returns it if nobody has it any more: the caller closes it.
func (l *lane) drop(s *session) *session {
	l.lanes.mu.Lock()
	defer l.lanes.mu.Unlock()
	if s.users--; s.users > 0 {
		return nil
	}
	l.sessions = slices.DeleteFunc(l.sessions, func(o *session) bool { return o == s })
	return s
}

// leave ends a volume's part of the lane, and the lane with the last one. Memory that is still in use then is a leak, unless requests
// were given up.
func (l *lane) leave(memory int, drained bool) error {
	l.lanes.mu.Lock()
	defer l.lanes.mu.Unlock()
	l.volumes--
	l.promised -= memory
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
func closeAll(ctx context.Context, sessions []*session, log *slog.Logger) {
	var wg sync.WaitGroup
	for _, s := range sessions {
		wg.Go(func() {
			if err := s.Close(ctx); err != nil {
				log.Warn("logout", "reason", err.Error())
			}
		})
	}
	wg.Wait()
}
