package stack

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hawser-storage/hawser/mpio"
)

// othersWithin is how long the other paths may take after the first one is up, so that one that leads elsewhere is seen at the
// start. Those that take longer join later.
const othersWithin = time.Second

// awaitPaths returns when the volume can be used: a path is up, and the others have had their chance. It fails when the first
// attempt of every path has failed, or when paths lead to different volumes. A patient volume waits for as long as ctx does.
func (v *Volume) awaitPaths(ctx context.Context, first <-chan *Path) error {
	if v.cfg.Patient {
		return v.WaitReady(ctx)
	}
	bound := time.NewTimer(startWithin(v.cfg.Session.LoginTimeout))
	defer bound.Stop()
	down := map[*Path]error{}
	up := 0
	for up+len(down) < len(v.Paths) {
		select {
		case p := <-first:
			if p.err != nil {
				down[p] = p.err
				continue
			}
			if up++; up == 1 {
				bound.Reset(othersWithin)
			}
		case <-bound.C:
			if up == 0 {
				return v.noPath(down)
			}
			return v.oneVolume()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if up == 0 {
		return v.noPath(down)
	}
	return v.oneVolume()
}

// startWithin bounds the start: connecting and logging in each have their time, and then the LUN is asked what it is.
func startWithin(login time.Duration) time.Duration { return 3 * login }

// oneVolume fails if a path that is connected leads to another volume than the others.
func (v *Volume) oneVolume() error {
	paths := v.Status().Paths
	for i, p := range paths {
		if p.State == mpio.StateRefused {
			return explainIdentity(paths, i)
		}
	}
	return nil
}

// errSilent is for a path that has not even failed.
var errSilent = errors.New("nothing was heard of it")

// noPath is the one line on why a volume could not be attached: what failed and what to do, for each path, or once for all that
// have it in common.
func (v *Volume) noPath(errs map[*Path]error) error {
	var reasons []reason
	where := map[reason][]string{}
	for _, p := range v.Paths {
		err := errs[p]
		if err == nil {
			err = errSilent
		}
		r := explain(err, p.Config, v.cfg.Session.InitiatorName, v.cfg.Session.LoginTimeout)
		if where[r] == nil {
			reasons = append(reasons, r)
		}
		where[r] = append(where[r], p.Config.Portal.String())
	}
	var parts []string
	for _, r := range reasons {
		parts = append(parts, fmt.Sprintf("%s: %s: %s", strings.Join(where[r], ", "), r.what, r.advice))
	}
	return fmt.Errorf("cannot attach %s: %s", v.cfg.name(), strings.Join(parts, "; "))
}
