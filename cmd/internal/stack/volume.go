package stack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	log      *slog.Logger
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
	var err error
	v.Device, err = mpio.New(v.lane.loop, mpio.Config{
		Name: cfg.name(), NoPathRetry: &cfg.Retry, FenceTimeout: cfg.Fence, Inherited: cfg.Inherited, Strange: cfg.Strange, Unflushed: cfg.Unflushed,
		Resized: cfg.Resized, Logger: cfg.Log,
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

// Close takes no more requests, waits for those in flight and their replies, and logs out of the sessions that no other volume has. What
// is still unfinished after the bound is given up, and the error says what became of it. It returns how things stood last.
func (v *Volume) Close(within time.Duration) (mpio.Status, error) {
	ctx, cancel := context.WithTimeoutCause(context.Background(), within, fmt.Errorf("not finished within %v", within))
	defer cancel()
	serverErr := v.Server.Close(ctx)
	last := v.Status()
	err := v.Device.Close(ctx)
	if err == nil {
		err = serverErr // the clients' replies
	}
	return last, errors.Join(err, v.leave(err == nil))
}

// abandon ends a volume that never was in use: at once, unless other volumes have its sessions, whose connections must not be reset for the
// probes of this one.
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
