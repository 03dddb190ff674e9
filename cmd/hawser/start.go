package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hawser-storage/hawser/mpio"
)

// othersWithin is how long the other paths may take after the first one is up, so that one that leads elsewhere is seen at the
// start. Those that take longer join later.
const othersWithin = time.Second

// awaitPaths returns when the volume can be used: a path is up, and the others have had their chance. It fails when the first
// attempt of every path has failed, or when paths lead to different volumes.
func (v *volume) awaitPaths(ctx context.Context, cfg *volumeConfig, first <-chan *path) error {
	bound := time.NewTimer(startWithin(cfg.session.LoginTimeout))
	defer bound.Stop()
	var down []*path
	up := 0
	for up+len(down) < len(v.paths) {
		select {
		case p := <-first:
			if p.err != nil {
				down = append(down, p)
				continue
			}
			if up++; up == 1 {
				bound.Reset(othersWithin)
			}
		case <-bound.C:
			if up == 0 {
				return v.noPath(cfg, v.silent(down))
			}
			return v.oneVolume()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if up == 0 {
		return v.noPath(cfg, down)
	}
	return v.oneVolume()
}

// startWithin bounds the start: connecting and logging in each have their time, and then the LUN is asked what it is.
func startWithin(login time.Duration) time.Duration { return 3 * login }

// silent is all paths, with a reason for those that have not reported.
func (v *volume) silent(down []*path) []*path {
	all := slices.Clone(down)
	for _, p := range v.paths {
		if !slices.Contains(down, p) {
			all = append(all, &path{config: p.config, LUN: p.LUN, err: errNothingHeard})
		}
	}
	return all
}

var errNothingHeard = errors.New("nothing was heard of it")

// oneVolume fails if a path that is connected leads to another volume than the others.
func (v *volume) oneVolume() error {
	for _, p := range v.status().Paths {
		if p.State == mpio.StateRefused {
			return explainIdentity(p)
		}
	}
	return nil
}

// noPath is the one line on why a volume could not be attached: what failed and what to do, for each path, or once for all that
// have it in common.
func (v *volume) noPath(cfg *volumeConfig, down []*path) error {
	var reasons []reason
	where := map[reason][]string{}
	for _, p := range down {
		r := explain(p.err, p.config, cfg.session.InitiatorName, cfg.session.LoginTimeout)
		if where[r] == nil {
			reasons = append(reasons, r)
		}
		where[r] = append(where[r], p.config.portal.String())
	}
	var parts []string
	for _, r := range reasons {
		parts = append(parts, fmt.Sprintf("%s: %s: %s", strings.Join(where[r], ", "), r.what, r.advice))
	}
	return fmt.Errorf("cannot attach %s: %s", cfg.name(), strings.Join(parts, "; "))
}
