package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/hawser-storage/hawser/blockdev/nbd"
	"github.com/hawser-storage/hawser/iscsi"
	"github.com/hawser-storage/hawser/mpio"
)

// Volume is the whole stack of one volume.
type Volume struct {
	*mpio.Device
	Server *nbd.Server // has one export, which is nameless
	Paths  []*Path

	cfg      Config
	lane     *lane
	sessions []*session
	news     chan struct{} // something was heard of a path
	claim    *claim        // nil: there is none
	fencing  fencing
	log      *slog.Logger
}

// fencing is what waits to take former claims back.
type fencing struct {
	ctx   context.Context
	end   context.CancelFunc
	ended chan struct{}
}

// Open builds a volume from below, and waits until it can be used. ctx ends the wait.
func (ls *Lanes) Open(ctx context.Context, cfg Config) (*Volume, error) {
	served, err := cfg.nbdConfig()
	if err != nil {
		return nil, err
	}
	l, err := ls.take(&cfg)
	if err != nil {
		return nil, err
	}
	v := &Volume{cfg: cfg, lane: l, news: make(chan struct{}, 1), log: cfg.Log}
	if err := v.connect(ctx); err != nil {
		v.abandon()
		return nil, err
	}
	v.Server, err = nbd.New(l.loop, l.arena, []nbd.Export{{Device: v.Device, Description: cfg.name()}}, served)
	if err != nil {
		v.abandon()
		return nil, err
	}
	v.fencing.ctx, v.fencing.end = context.WithCancel(context.Background())
	v.fencing.ended = make(chan struct{})
	go v.awaitFence()
	return v, nil
}

// connect makes sessions and paths, starts them, and waits for the first.
func (v *Volume) connect(ctx context.Context) error {
	cfg := &v.cfg
	first := make(chan *Path, len(cfg.Paths))
	var paths []mpio.Path
	for _, pc := range cfg.Paths {
		s, err := v.lane.session(ctx, cfg, pc)
		if err != nil {
			return err
		}
		v.sessions = append(v.sessions, s)
		lun, err := v.addLUN(s, pc.LUN)
		if err != nil {
			return err
		}
		p := &Path{LUN: lun, Config: pc, first: first, news: v.news}
		v.Paths = append(v.Paths, p)
		paths = append(paths, p)
	}
	in, err := v.stake()
	if err != nil {
		return err
	}
	v.Device, err = mpio.New(v.lane.loop, mpio.Config{
		Name: cfg.name(), NoPathRetry: &cfg.Retry, FenceTimeout: cfg.Fence, Inherited: in.any, Strange: in.strange, Unflushed: cfg.Unflushed,
		TrustIdentity: cfg.Trust, Resized: cfg.Resized, Logger: cfg.Log,
	}, paths...)
	if err != nil {
		return err
	}
	for _, s := range v.sessions {
		if err := v.lane.start(s); err != nil {
			return err
		}
	}
	return v.awaitPaths(ctx, first)
}

// stake claims the volume's sessions, if the host has a place for claims.
func (v *Volume) stake() (inheritance, error) {
	in := inheritance{any: v.cfg.Inherited, strange: v.cfg.Inherited} // for all that is known without a claim
	if v.cfg.Claims == "" {
		return in, nil
	}
	c := claimed{Volume: v.cfg.name(), PID: os.Getpid(), Since: time.Now()}
	for i, s := range v.sessions {
		c.Sessions = append(c.Sessions, claimedSession{Target: s.target, Portal: s.portal.String(), ISID: s.ISID().String(), LUN: v.cfg.Paths[i].LUN})
	}
	cl, found, err := stake(v.cfg.Claims, c)
	switch {
	case errors.As(err, new(*claimedError)):
		return in, err
	case err != nil:
		v.log.Warn("nothing is known of former processes, nor will the next one know of this: writes wait for the fence's time", "reason", err.Error())
		return inheritance{any: true, strange: true}, nil
	}
	v.claim = cl
	if found.beside != "" {
		v.log.Warn("the volume is in use twice on this host: a file system that is mounted on both is lost", "also", found.beside)
	}
	if !found.any {
		return in, nil
	}
	v.log.Info("a former process may have left writes at the storage: others wait until they cannot be carried out any more", "other_sessions", found.strange)
	return found, nil
}

// awaitFence takes former claims back when they are not needed any more.
func (v *Volume) awaitFence() {
	defer close(v.fencing.ended)
	if v.claim == nil || !v.claim.inherited || v.WaitFenced(v.fencing.ctx) != nil { // which is the volume's end
		return
	}
	if err := v.claim.fenced(); err != nil {
		v.log.Warn("claims of former processes are left", "reason", err.Error())
	}
}

// addLUN makes a LUN on the loop: the session may be in use already.
func (v *Volume) addLUN(s *session, n int) (lun *iscsi.LUN, err error) {
	stopped := v.lane.loop.Await(func(done func()) {
		lun, err = s.LUN(n)
		done()
	})
	return lun, errors.Join(stopped, err)
}

// PathsUp is how many paths carry requests.
func (v *Volume) PathsUp() (n int) {
	for _, p := range v.Status().Paths {
		if p.State == mpio.StateUp {
			n++
		}
	}
	return n
}

// Status is the volume now; without paths if its loop has ended.
func (v *Volume) Status() mpio.Status {
	s, _ := v.Stats()
	return s
}

// Rescan asks every path that is up what it leads to, and returns when each has answered, or ctx ends. Only one caller at a time.
func (v *Volume) Rescan(ctx context.Context) error {
	asked := map[*Path]uint32{}
	err := v.lane.loop.Await(func(done func()) {
		for _, p := range v.Paths {
			if p.up {
				asked[p] = p.heard.Load()
				p.Rescan()
			}
		}
		done()
	})
	for err == nil && slices.ContainsFunc(v.Paths, func(p *Path) bool { n, ok := asked[p]; return ok && p.heard.Load() == n }) {
		select {
		case <-v.news:
		case <-ctx.Done():
			err = fmt.Errorf("not every path has answered: %w", context.Cause(ctx))
		}
	}
	return err
}

// logoutWithin bounds the logouts at the end: everything is safe by then, and a silent target need not be waited for.
const logoutWithin = 5 * time.Second

// Close takes no more requests, waits for those in flight and their replies, and until nothing that a lost path had can be carried out any
// more: then the volume may be another host's. Last it logs out of the sessions that no other volume has. What is still unfinished after the
// bound is given up, and the error says what became of it: an *mpio.UnknownExtentsError, an *mpio.UnfencedError. Close returns how things
// stood last.
func (v *Volume) Close(within time.Duration) (mpio.Status, error) { return v.close(within, true) }

// Suspend is Close for a successor on this host, who inherits what a lost path had. It does not wait for that.
func (v *Volume) Suspend(within time.Duration) (mpio.Status, error) { return v.close(within, false) }

func (v *Volume) close(within time.Duration, forGood bool) (mpio.Status, error) {
	ctx, cancel := context.WithTimeoutCause(context.Background(), within, fmt.Errorf("not finished within %v", within))
	defer cancel()
	serverErr := v.Server.Close(ctx)
	last := v.Status()
	var unfenced error
	if forGood {
		if last.Quarantined > 0 {
			v.log.Info("waiting until no write of a lost path can be carried out any more", "at_most", within.String())
		}
		unfenced = v.WaitFenced(ctx)
	}
	err := v.Device.Close(ctx)
	if forGood && unfenced == nil {
		unfenced = v.WaitFenced(ctx) // the last requests may have lost a path; there is no wait any more
	}
	v.fencing.end()
	<-v.fencing.ended
	v.unclaim(forGood && cmp.Or(err, serverErr, unfenced) == nil)
	if err == nil {
		err = serverErr // the clients' replies
	}
	return last, errors.Join(err, unfenced, v.leave(err == nil))
}

// unclaim takes the claim back, if nothing can be left of the volume's writes.
func (v *Volume) unclaim(nothingLeft bool) {
	if v.claim == nil {
		return
	}
	done := v.claim.leave
	if nothingLeft {
		done = v.claim.end
	}
	if err := done(); err != nil {
		v.log.Warn("the next attach of the volume waits for writes that are not there", "reason", err.Error())
	}
}

// abandon ends a volume that never was in use: at once, unless other volumes have its sessions, whose connections must not be reset for the
// probes of this one. It has written nothing, but what it has inherited stays.
func (v *Volume) abandon() {
	ctx, cancel := context.WithTimeout(context.Background(), logoutWithin)
	defer cancel()
	if !v.lane.shared(v.sessions) {
		cancel()
	}
	if v.Device != nil {
		_ = v.Device.Close(ctx)
	} else {
		v.dropLUNs(ctx)
	}
	v.unclaim(v.claim != nil && !v.claim.inherited)
	_ = v.leave(false)
}

// dropLUNs closes LUNs that no Device has.
func (v *Volume) dropLUNs(ctx context.Context) {
	for _, p := range v.Paths {
		_ = p.LUN.Close(ctx)
	}
}

// leave gives sessions and lane up.
func (v *Volume) leave(drained bool) error {
	var last []*session
	for _, s := range v.sessions {
		if s := v.lane.drop(s); s != nil {
			last = append(last, s)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), logoutWithin)
	defer cancel()
	v.lane.lanes.closeAll(ctx, last, v.log)
	return v.lane.leave(&v.cfg, drained)
}
