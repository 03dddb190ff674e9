package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/blockdev/nbd"
	"github.com/hawser-storage/hawser/iscsi"
	"github.com/hawser-storage/hawser/mpio"
)

// volumeConfig is what a volume is made of.
type volumeConfig struct {
	paths   []pathConfig
	session iscsi.Config  // for all, without target and portal
	memory  int           // bytes
	retry   time.Duration // without a path; see mpio.Config.NoPathRetry
	fence   time.Duration // see mpio.Config.FenceTimeout
	log     *slog.Logger
}

func (cfg *volumeConfig) name() string {
	return fmt.Sprintf("%s/%d", cfg.paths[0].target, cfg.paths[0].lun)
}

// volume is the whole stack of one volume, on one loop: NBD server, multipath, LUNs, sessions.
type volume struct {
	*mpio.Device
	loop     *loop.Loop
	ran      chan error
	arena    *blockdev.Arena
	sessions []*iscsi.Session
	paths    []*path
	server   *nbd.Server
	log      *slog.Logger
}

// openVolume builds the stack from below, and waits until the volume can be used. ctx ends the wait.
func openVolume(ctx context.Context, cfg volumeConfig) (*volume, error) {
	served, err := nbdConfig(cfg.memory, len(cfg.paths), cfg.log)
	if err != nil {
		return nil, err
	}
	v, err := newVolume(cfg)
	if err != nil {
		return nil, err
	}
	if err := v.connect(ctx, &cfg); err != nil {
		v.abandon()
		return nil, err
	}
	v.server, err = nbd.New(v.loop, v.arena, []nbd.Export{{Device: v.Device, Description: cfg.name()}}, served)
	if err != nil {
		v.abandon()
		return nil, err
	}
	return v, nil
}

// sessionRoom is what a session receives into, in bytes, besides the READs in flight, which the NBD server counts. One that finds no
// memory loses its connection.
const sessionRoom = 17 * blockdev.ChunkSize

// nbdConfig gives a quarter of the memory to what is written and as much to what is read, or less if the sessions and the
// connections would not have theirs.
func nbdConfig(memory, sessions int, log *slog.Logger) (nbd.Config, error) {
	const least = 1 << 20
	cfg := nbd.Config{Budget: least, Closed: func(_ string, err error) {
		if err != nil {
			log.Warn("NBD client lost", "reason", err.Error())
		}
	}}
	fixed := cfg.ArenaSize() - 2*least + sessions*sessionRoom
	cfg.Budget = min(memory/4, (memory-fixed)/2) &^ (blockdev.ChunkSize - 1)
	if cfg.Budget < least {
		given, mib := sizeFlag(memory), (fixed+2*least+blockdev.ChunkSize+1<<20-1)>>20
		return cfg, usagef("--memory %v is too little for %d paths: give at least %dM", &given, sessions, mib)
	}
	return cfg, nil
}

func newVolume(cfg volumeConfig) (*volume, error) {
	l, err := loop.New(loop.Config{})
	if err != nil {
		return nil, err
	}
	v := &volume{loop: l, ran: make(chan error, 1), log: cfg.log}
	go func() { v.ran <- l.Run() }()
	if v.arena, err = blockdev.NewArena(cfg.memory); err != nil {
		return nil, errors.Join(err, v.stop())
	}
	return v, nil
}

// connect makes sessions and paths, starts them, and waits for the first.
func (v *volume) connect(ctx context.Context, cfg *volumeConfig) error {
	first := make(chan *path, len(cfg.paths))
	paths, err := v.addPaths(cfg, first)
	if err != nil {
		return err
	}
	v.Device, err = mpio.New(v.loop, mpio.Config{Name: cfg.name(), NoPathRetry: &cfg.retry, FenceTimeout: cfg.fence, Logger: cfg.log}, paths...)
	if err != nil {
		return err
	}
	for _, s := range v.sessions {
		if err := s.Start(); err != nil {
			return err
		}
	}
	return v.awaitPaths(ctx, cfg, first)
}

// addPaths makes a session for each portal of a target, and a LUN on it for each path.
func (v *volume) addPaths(cfg *volumeConfig, first chan<- *path) (paths []mpio.Path, err error) {
	type key struct {
		portal iscsi.Portal
		target string
	}
	sessions := map[key]*iscsi.Session{}
	for _, pc := range cfg.paths {
		k := key{pc.portal, pc.target}
		s := sessions[k]
		if s == nil {
			sc := cfg.session
			sc.Portal, sc.TargetName, sc.Owner = pc.portal, pc.target, "volume "+cfg.name()
			if s, err = iscsi.NewSession(v.loop, v.arena, sc); err != nil {
				return nil, err
			}
			sessions[k] = s
			v.sessions = append(v.sessions, s)
		}
		lun, err := s.LUN(pc.lun)
		if err != nil {
			return nil, err
		}
		p := &path{LUN: lun, config: pc, first: first}
		v.paths = append(v.paths, p)
		paths = append(paths, p)
	}
	return paths, nil
}

func (v *volume) pathsUp() (n int) {
	for _, p := range v.status().Paths {
		if p.State == mpio.StateUp {
			n++
		}
	}
	return n
}

// status is the volume now; without paths if the loop has ended.
func (v *volume) status() mpio.Status {
	s, _ := v.Stats()
	return s
}

// logoutWithin bounds the logouts at the end: everything is safe by then, and a silent target need not be waited for.
const logoutWithin = 5 * time.Second

// close takes no more requests, waits for those in flight and their replies, and logs out. What is still unfinished after the
// bound is given up, and the error says what became of it. It returns how things stood last.
func (v *volume) close(within time.Duration) (mpio.Status, error) {
	ctx, cancel := context.WithTimeoutCause(context.Background(), within, fmt.Errorf("not finished within %v", within))
	defer cancel()
	serverErr := v.server.Close(ctx)
	last := v.status()
	err := v.Device.Close(ctx)
	if err == nil {
		err = serverErr // the clients' replies
	}
	v.logout()
	return last, errors.Join(err, v.end(err == nil))
}

// abandon ends a volume that never was in use.
func (v *volume) abandon() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if v.Device != nil {
		_ = v.Device.Close(ctx)
	}
	v.logout()
	_ = v.end(false)
}

// logout closes all sessions at the same time.
func (v *volume) logout() {
	ctx, cancel := context.WithTimeout(context.Background(), logoutWithin)
	defer cancel()
	var wg sync.WaitGroup
	for _, s := range v.sessions {
		wg.Go(func() {
			if err := s.Close(ctx); err != nil {
				v.log.Warn("logout", "reason", err.Error())
			}
		})
	}
	wg.Wait()
}

// end stops the loop. Memory that is still in use then is a leak, unless requests were given up.
func (v *volume) end(drained bool) error {
	err := v.stop()
	if closeErr := v.arena.Close(); drained {
		err = errors.Join(err, closeErr)
	}
	return err
}

func (v *volume) stop() error {
	v.loop.Stop()
	return <-v.ran
}
