package iscsi

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/iscsi/login"
)

// State is where a session stands.
//
//	 Idle --Start--> Connecting --login--> Up --failure--> Waiting --time--> Connecting
//	                     |                  |                 ^
//	                     +-----failure------|-----------------+
//	any of them --Close--> Closing --drained and logged out--> Closed
type State uint8

// The states.
const (
	Idle       State = iota // not started
	Connecting              // dialling or logging in, in the control plane
	Up                      // in full feature phase: it has a connection
	Waiting                 // for the time of the next attempt
	Closing                 // draining, or logging out; or the login under way is being called off
	Closed                  // for good
)

var stateNames = [...]string{"idle", "connecting", "up", "waiting", "closing", "closed"}

func (s State) String() string { return stateNames[s] }

// transitions lists where each state may lead.
var transitions = [...][]State{
	Idle:       {Connecting, Closed},
	Connecting: {Up, Waiting, Closing},
	Up:         {Waiting, Closing},
	Waiting:    {Connecting, Closed},
	Closing:    {Closed},
	Closed:     {},
}

// Session is a session with one target through one portal, shared by all LUNs behind it. It has one connection at a time, makes
// a new one when that fails, and each login reinstates the session: the target ends what it still held of the old one
// (RFC 7143, section 6.3.5). Its methods but Start, Close, Status and Do belong to the loop.
type Session struct {
	cfg   Config
	loop  *loop.Loop
	arena *blockdev.Arena
	log   *slog.Logger

	state    State
	conn     *conn // while Up, and while Closing logs out
	luns     []*LUN
	lock     *isidLock
	failures int // attempts in a row that led to nothing
	retry    *loop.Timer
	dialing  net.Conn           // of the login under way
	cancel   context.CancelFunc // ends the dial under way
	redirect *login.Address     // where the next attempt goes instead of the portal
	hops     int                // redirects in a row

	pool    []*task // free tasks
	refused []*task // to complete in the deferred stage
	lent    []blockdev.Segment
	ending  bool
	closed  []func() // who waits for Closed

	buffers  atomic.Pointer[Buffers]
	counters Counters
}

// Counters count what happened on a session since it was made.
type Counters struct {
	Logins             uint64 // successful ones
	Failures           uint64 // connections lost, and attempts that failed
	HeaderDigestErrors uint64
	DataDigestErrors   uint64
	NOPs               uint64 // NOP-Outs sent to ask whether the target is there
	R2Ts               uint64
	Aborts             uint64 // ABORT TASKs sent
}

// NewSession makes a session that does nothing until Start. The arena is the loop's.
func NewSession(l *loop.Loop, arena *blockdev.Arena, cfg Config) (*Session, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s := &Session{cfg: cfg, loop: l, arena: arena}
	s.log = cfg.Logger.With("portal", cfg.Portal.String(), "target", cfg.TargetName)
	s.retry = l.NewTimer(s.connect)
	return s, nil
}

// LUN adds a logical unit, before Start or on the loop. It is probed after each login.
func (s *Session) LUN(n int) (*LUN, error) {
	u, err := newLUN(s, n)
	if err != nil {
		return nil, fmt.Errorf("iscsi: %w", err)
	}
	s.luns = append(s.luns, u)
	if s.state == Up {
		u.probe()
	}
	return u, nil
}

// Start begins to connect. It fails if another process on this host has a session of the same name. From any goroutine, once.
func (s *Session) Start() error {
	lock, err := lockISID(s.cfg.InitiatorName, s.cfg.Login.ISID, s.loop.Env() == loop.Real)
	if err != nil {
		return fmt.Errorf("iscsi: %s %s: %w", s.cfg.Portal, s.cfg.TargetName, err)
	}
	if !s.loop.Post(func() { s.begin(lock) }) {
		lock.release()
		return loop.ErrStopped
	}
	return nil
}

// begin is the first connect, if nobody was faster with Close.
func (s *Session) begin(lock *isidLock) {
	if s.state != Idle {
		lock.release()
		return
	}
	s.lock = lock
	s.connect()
}

// Buffers are the socket buffers of a session's connection, in bytes.
type Buffers struct {
	Asked         int // BufferAuto: left to the kernel
	Receive, Send int // as the kernel granted them, doubled; 0: it never connected
}

// Buffers tells them. Any goroutine may ask.
func (s *Session) Buffers() Buffers {
	granted := s.buffers.Load()
	if granted == nil {
		return Buffers{Asked: s.cfg.SocketBuffer}
	}
	return *granted
}

// ISID is the session's, stable over restarts.
func (s *Session) ISID() ISID { return s.cfg.Login.ISID }

func (s *Session) setState(to State, why error) {
	from := s.state
	if !slices.Contains(transitions[from], to) {
		panic(fmt.Sprintf("iscsi: session goes from %v to %v", from, to))
	}
	s.state = to
	attrs := []any{"from", from.String(), "to", to.String()}
	if why != nil {
		attrs = append(attrs, "reason", why.Error())
	}
	if from == Up && to == Waiting || from == Connecting && to == Waiting && s.failures == 1 {
		s.log.Warn("session", attrs...)
		return
	}
	s.log.Info("session", attrs...)
}

// connLost takes note that the connection is dead. conn.fail calls it before it ends the commands in flight.
func (s *Session) connLost(c *conn, cause error) {
	s.conn = nil
	s.counters.Failures++
	if s.loop.Now().Sub(c.born) >= 2*s.cfg.RetryMin {
		s.failures = 0
	}
	if s.state != Closing {
		wait := s.backoff()
		if c.loggedOut || s.failures == 1 {
			wait = max(wait, c.param.DefaultTime2Wait)
		}
		s.setState(Waiting, cause)
		s.retry.Reset(wait)
	}
	s.lunsDown(cause)
}

// lunsDown tells everybody that the session cannot be used. What is told may lead to new requests, so all units are down first.
func (s *Session) lunsDown(cause error) {
	for _, u := range s.luns {
		u.up = false
	}
	for _, u := range s.luns {
		u.setDown(cause)
	}
}

// backoff is the wait before the next attempt: none after the first failure, then doubling. A quarter of it differs between
// sessions, so that those that failed together do not come back together.
func (s *Session) backoff() time.Duration {
	s.failures++
	if s.failures == 1 {
		return 0
	}
	d := s.cfg.RetryMin << min(s.failures-2, 16)
	d = min(d, s.cfg.RetryMax)
	spread := time.Duration(s.cfg.Login.ISID[1]) + time.Duration(s.failures)*37
	return d - d/4*(spread%256)/256
}

// takeTask gives a clean task.
func (s *Session) takeTask(u *LUN) *task {
	if n := len(s.pool); n > 0 {
		t := s.pool[n-1]
		s.pool = s.pool[:n-1]
		t.lun = u
		return t
	}
	return &task{lun: u}
}

func (s *Session) putTask(t *task) {
	*t = task{}
	s.pool = append(s.pool, t)
}

// refuse completes t with err, in the deferred stage: Complete never runs inside Submit.
func (s *Session) refuse(t *task, err error) {
	t.err = err
	s.refused = append(s.refused, t)
	if len(s.refused) == 1 {
		s.loop.Later(s)
	}
}

// Run completes what was refused.
func (s *Session) Run() {
	work := s.refused
	s.refused = nil
	for _, t := range work {
		s.complete(t)
	}
	if s.refused == nil {
		clear(work)
		s.refused = work[:0]
	}
}
