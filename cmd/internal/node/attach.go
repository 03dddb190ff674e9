package node

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/hawser-storage/hawser/blockdev/nbd/kernel"
	"github.com/hawser-storage/hawser/cmd/internal/api"
)

// Attach implements [api.Service].
func (n *Node) Attach(ctx context.Context, r api.AttachRequest) (api.Volume, error) {
	r.Device = cmp.Or(r.Device, "auto")
	cfg, err := configOf(&r, n.cfg.Initiator, n.log)
	if err != nil {
		return api.Volume{}, err
	}
	r.Options.Initiator = cfg.Session.InitiatorName // a restart under another name would fence nothing
	if r.Name == "" {
		r.Name = api.DefaultName(cfg.Paths[0].Target, cfg.Paths[0].LUN)
	}
	v := n.newVolume(r.Name, record{Request: r, Boot: n.boot, Since: time.Now()})
	stop := context.AfterFunc(ctx, v.end)
	defer stop()
	if err := n.enter(v); err != nil {
		v.end()
		return api.Volume{}, err
	}
	if err := v.attach(); err != nil {
		return api.Volume{}, explain(err)
	}
	if !stop() { // who asked is gone, and the volume's life with him
		return api.Volume{}, explain(errors.Join(context.Cause(ctx), v.detach(context.WithoutCancel(ctx), true)))
	}
	return v.status(), nil
}

var errGivenUp = errors.New("the attempt to attach was given up")

// attach is the whole of it, for a volume that is new.
func (v *volume) attach() error {
	v.op.Lock()
	defer v.op.Unlock()
	n := v.node
	if v.life.Err() != nil {
		n.leave(v)
		return errGivenUp
	}
	err := n.cfg.Store.put(v.name, &v.record)
	if err == nil {
		err = v.bring(false)
	}
	if err == nil {
		return nil
	}
	v.over = true
	v.end()
	err = errors.Join(err, n.cfg.Store.remove(v.name))
	n.leave(v) // last: whoever takes the name next has a record of his own
	return err
}

// bring builds the stack, and makes the device. patient: paths may take their time.
func (v *volume) bring(patient bool) error {
	n := v.node
	cfg, err := configOf(&v.record.Request, n.cfg.Initiator, n.log)
	if err != nil {
		return err
	}
	cfg.OwnSessions, cfg.Claims, cfg.Patient = n.cfg.OwnSessions, n.cfg.Claims, patient
	cfg.Inherited = n.leftBehind(v.name) != ""
	cfg.Unflushed = cfg.Inherited // the host remembers what it has written
	cfg.Failed, cfg.Resized, cfg.Closed = v.failed, v.resized, v.lost
	v.cfg = cfg
	s, err := n.lanes.Open(v.life, cfg)
	if err != nil {
		return err
	}
	if !patient {
		s.WarnOfSharedInterface()
	}
	v.set(func() { v.stack, v.retry = s, cfg.Retry })
	if err := v.makeDevice(); err != nil {
		v.set(func() { v.stack = nil })
		end := s.Close
		if cfg.Inherited {
			end = s.Suspend
		}
		if _, closeErr := end(n.cfg.DrainTimeout); closeErr != nil {
			v.log.Warn("what was begun is not undone in order", "reason", closeErr.Error())
		}
		return err
	}
	v.set(func() { v.state, v.reason = api.Up, "" })
	n.wg.Go(v.keepErrors)
	n.wg.Go(v.resize) // a device that was left behind has the size of then
	return nil
}

// leftBehind is the backend of the device that a former process has left of that volume, or "".
func (n *Node) leftBehind(name string) string {
	for _, c := range n.cfg.Front.List() {
		if strings.HasPrefix(c.Backend, backendOf(name, "")) {
			return c.Backend
		}
	}
	return ""
}

// deviceIndex reads auto or /dev/nbdN, which has been validated.
func deviceIndex(device string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(device, "/dev/nbd"))
	if err != nil {
		return kernel.AnyIndex
	}
	return n
}

// restoreAgain is the wait after an attempt that failed for another reason than a path.
const restoreAgain = 5 * time.Second

// Restore takes up the volumes that the store has: after a restart of the process their devices are there, and wait; after one of the host
// they are made anew. It returns when each has been brought up, or ctx ends, and goes on with the others. Those that cannot be read are in
// the error.
func (n *Node) Restore(ctx context.Context) error {
	records, err := n.cfg.Store.all()
	ready := make(chan struct{}, len(records))
	left := 0
	for name, r := range records {
		sameBoot := r.Boot == n.boot && n.boot != ""
		if r.Request.Once && !sameBoot {
			err = errors.Join(err, n.cfg.Store.remove(name))
			continue
		}
		r.Boot = n.boot
		v := n.newVolume(name, *r)
		v.kept = true
		if enterErr := n.enter(v); enterErr != nil {
			err = errors.Join(err, enterErr)
			continue
		}
		left++
		n.wg.Go(func() {
			v.restore()
			ready <- struct{}{}
		})
	}
	for ; left > 0; left-- {
		select {
		case <-ready:
		case <-ctx.Done():
			return err
		}
	}
	return err
}

// restore tries until it succeeds or the volume is to end.
func (v *volume) restore() {
	for v.life.Err() == nil {
		v.op.Lock()
		err := v.life.Err()
		if !v.over && err == nil {
			if err = v.node.cfg.Store.put(v.name, &v.record); err == nil {
				err = v.bring(true)
			}
		}
		v.op.Unlock()
		if err == nil || v.life.Err() != nil {
			return
		}
		v.log.Error("the volume could not be taken up again: another attempt follows", "in", restoreAgain.String(), "reason", err.Error())
		v.set(func() { v.reason = err.Error() })
		select {
		case <-v.life.Done():
		case <-time.After(restoreAgain):
		}
	}
}
