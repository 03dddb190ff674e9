package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/hawser-storage/hawser/blockdev/nbd/kernel"
	"github.com/hawser-storage/hawser/cmd/internal/api"
)

// forceWithin bounds each step that the device's own trouble may hold up, when it is to go in any case.
const forceWithin = 5 * time.Second

// Detach implements [api.Service].
func (n *Node) Detach(ctx context.Context, name string, force bool) error {
	v, err := n.find(name)
	if err != nil {
		return err
	}
	return explain(v.detach(ctx, force))
}

// How long Release waits for the users of a device, and how often it looks.
const (
	releaseWithin = 140 * time.Second
	releaseAgain  = 200 * time.Millisecond
)

// Release implements [api.Service].
func (n *Node) Release(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, releaseWithin)
	defer cancel()
	list := n.all()
	errs := make([]error, len(list))
	var wg sync.WaitGroup
	for i, v := range list {
		wg.Go(func() { errs[i] = v.release(ctx) })
	}
	wg.Wait()
	return explain(errors.Join(errs...))
}

// release is detach, as soon as it can be, of a volume that the store keeps.
func (v *volume) release(ctx context.Context) error {
	for {
		err := v.take(ctx, false, false)
		if err == nil || !errors.Is(err, kernel.ErrBusy) {
			return err
		}
		select {
		case <-time.After(releaseAgain):
		case <-ctx.Done():
			return err
		}
	}
}

// detach takes the volume away and forgets it.
func (v *volume) detach(ctx context.Context, force bool) error {
	return v.take(ctx, force, true)
}

// take ends device and stack, and has the store forget the volume or not. What it returns is why the volume is still there, or, with the
// kind Lost, what went wrong although it is gone; by force that is logged alone, for it was taken into the bargain.
func (v *volume) take(ctx context.Context, force, forget bool) error {
	if !force && v.attaching() {
		if _, err := v.leftUnused(ctx); err != nil {
			return err // and the attempt goes on
		}
	}
	if force || v.attaching() {
		v.end() // an attempt to attach, a resize: they would hold op
	}
	v.op.Lock()
	defer v.op.Unlock()
	if v.over {
		return nil
	}
	if v.held != nil {
		v.over = true
		v.end()
		v.node.leave(v)
		v.held()
		return nil
	}
	lost, err := v.endDevice(ctx, force)
	if lost != nil { // the kernel says it once
		v.log.Error("data is lost", "reason", lost.Error())
		v.gone = errors.Join(v.gone, lost)
	}
	if err != nil {
		return err
	}
	v.over = true
	v.end()
	if forget {
		err = v.node.cfg.Store.remove(v.name)
	}
	lost = errors.Join(v.gone, v.endStack(force))
	v.node.leave(v) // last: whoever takes the name next has a record of his own
	v.log.Info("detached", "forced", force)
	if lost == nil {
		return err
	}
	v.log.Error("detached, but not in order", "reason", lost.Error())
	if force {
		return err
	}
	return &api.Error{Kind: api.Lost, Text: fmt.Sprintf("volume %s is detached, but: %v", v.name, errors.Join(lost, err))}
}

// endStack ends what is below the device, and says what could not be finished. It waits for the fences of lost paths, by force not for long:
// the volume may be another host's then.
func (v *volume) endStack(force bool) error {
	if v.stack == nil {
		return nil
	}
	within := v.node.cfg.DrainTimeout + v.cfg.Fence
	if force {
		within = min(within, forceWithin)
	}
	_, err := v.stack.Close(within)
	return err
}

// left is the device that a former process has left of a volume that is not up yet, or nil.
func (v *volume) left() (Device, error) {
	if !v.kept {
		return nil, nil
	}
	backend := v.node.leftBehind(v.name)
	if backend == "" {
		return nil, nil
	}
	d, _, err := v.node.cfg.Front.Find(kernel.Spec{Backend: backend})
	return d, err
}

// leftUnused is that device too, if nobody uses it.
func (v *volume) leftUnused(ctx context.Context) (Device, error) {
	d, err := v.left()
	if err != nil || d == nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, forceWithin) // nobody serves it
	defer cancel()
	return d, d.CheckUnused(ctx)
}

// endLeft ends it. What the host still holds back has nowhere to go.
func (v *volume) endLeft(ctx context.Context, force bool) error {
	find := v.leftUnused
	if force {
		find = func(context.Context) (Device, error) { return v.left() }
	}
	d, err := find(ctx)
	if err != nil || d == nil {
		return err
	}
	err = d.Disconnect(ctx)
	if force && errors.Is(err, kernel.ErrBusy) {
		v.log.Warn("the device is without a volume now, and goes when its last user does", "device", d.Path(), "reason", err.Error())
		err = nil
	}
	return err
}

func (v *volume) attaching() bool {
	v.node.mu.Lock()
	defer v.node.mu.Unlock()
	return v.state == api.Attaching
}

// endDevice makes the kernel let go of the device. By force, what it is used for fails from now on. lost is what the host held back and could
// not be written.
func (v *volume) endDevice(ctx context.Context, force bool) (lost, err error) {
	d := v.device
	if d == nil {
		return nil, v.endLeft(ctx, force)
	}
	v.set(func() { v.state = api.Detaching })
	defer func() {
		if err != nil {
			v.set(func() { v.state = api.Up })
		}
	}()
	if !force {
		err := d.FlushUnused(ctx)
		if errors.Is(err, kernel.ErrBusy) {
			return nil, err
		}
		if err != nil && !errors.Is(err, syscall.EIO) {
			return nil, fmt.Errorf("what the host still holds back could not be written: %w: with --force it is given up", err)
		}
		if err != nil { // the host has dropped it, and nothing is left that a refusal could save
			lost = fmt.Errorf("what the host held back could not be written, and is lost: %w: check the file system", err)
		}
		return lost, v.disconnect(ctx, d)
	}
	flushCtx, cancel := context.WithTimeout(ctx, forceWithin)
	defer cancel()
	if err := d.Flush(flushCtx); err != nil {
		lost = fmt.Errorf("what the host still holds back is lost: %w", err)
	}
	err = v.disconnect(ctx, d)
	if errors.Is(err, kernel.ErrBusy) {
		v.log.Warn("the device is without a volume now, and goes when its last user does", "device", d.Path(), "reason", err.Error())
		err = nil
	}
	return lost, err
}

// disconnect ends the device. Where the server is stuck, and with it the kernel, its connection goes first.
func (v *volume) disconnect(ctx context.Context, d Device) error {
	soon, cancel := context.WithTimeout(ctx, forceWithin)
	defer cancel()
	err := d.Disconnect(soon)
	if err == nil || !errors.Is(err, kernel.ErrStuck) {
		return err
	}
	now, cancelNow := context.WithCancel(context.Background())
	cancelNow()
	_ = v.stack.Server.Close(now)
	return d.Disconnect(ctx)
}
