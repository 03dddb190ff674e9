package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/nbd"
	"github.com/hawser-storage/hawser/blockdev/nbd/kernel"
	"github.com/hawser-storage/hawser/cmd/internal/api"
	"github.com/hawser-storage/hawser/cmd/internal/stack"
)

// volume is one volume of a node, from the moment its name is taken until it is given up.
type volume struct {
	node   *Node
	name   string
	log    *slog.Logger
	ledger *ledger
	life   context.Context // ends when the volume is to end
	end    context.CancelFunc

	// op is held by whoever changes what the volume is made of: attaching, reconnecting, resizing, detaching. It may be held for long.
	op     sync.Mutex
	record record
	cfg    stack.Config
	over   bool  // detached, or suspended: nothing more is to be done to it
	gone   error // what the host held back and could not be written, as a detach found that did not come to its end

	kept bool   // the store has had it: its device may be there already
	held func() // by the process, which is told so to end it; nil: the node's own

	// Guarded by the node's lock, so that how things stand can always be told; written by whoever has op.
	state    api.State // Attaching, Up or Detaching; the paths tell the rest
	stack    *stack.Volume
	device   Device
	uri      string // of a volume that is held
	reason   string
	warnings []string
	retry    time.Duration // NoPathRetry
}

func (n *Node) newVolume(name string, r record) *volume {
	v := &volume{node: n, name: name, record: r, log: n.log.With("volume", name), ledger: newLedger(r.Errors), state: api.Attaching}
	v.life, v.end = context.WithCancel(n.life)
	return v
}

// set changes what is told of the volume.
func (v *volume) set(fn func()) {
	v.node.mu.Lock()
	defer v.node.mu.Unlock()
	fn()
}

// whatLocked is for an error, under the node's lock.
func (v *volume) whatLocked() string {
	if v.device != nil {
		return string(v.state) + ", " + v.device.Path()
	}
	return string(v.state)
}

// keepErrors writes the ledger to the store, and to the log, not more often than once a second.
func (v *volume) keepErrors() {
	for {
		select {
		case <-v.life.Done():
			return
		case <-v.ledger.changed:
		}
		v.op.Lock()
		if !v.over {
			v.writeErrors()
		}
		v.op.Unlock()
		select {
		case <-v.life.Done():
		case <-time.After(time.Second):
		}
	}
}

func (v *volume) writeErrors() {
	now := v.ledger.read()
	if now == v.record.Errors {
		return
	}
	v.log.Error("requests of the host have failed", "requests", now.Count-v.record.Errors.Count, "reason", now.Text)
	v.record.Errors = now
	if err := v.node.cfg.Store.put(v.name, &v.record); err != nil {
		v.log.Error("errors of the device are not remembered", "reason", err.Error())
	}
}

// failed counts a request that failed at the device. On the loop.
func (v *volume) failed(op blockdev.Op, err error) { v.ledger.note(op, err) }

// resized follows the storage. On the loop.
func (v *volume) resized(uint64) { v.node.wg.Go(v.resize) }

// resizeWithin bounds the waits for what is in flight, ours and the kernel's.
const resizeWithin = time.Minute

func (v *volume) resize() {
	v.op.Lock()
	defer v.op.Unlock()
	if err := v.followSize(); err != nil && v.life.Err() == nil {
		v.log.Error("the device could not be given its new size: try 'hawser rescan'", "reason", err.Error())
	}
}

// followSize makes the device as large as the volume is now. One that is not there yet will be made so.
func (v *volume) followSize() error {
	if v.over || v.device == nil || v.life.Err() != nil {
		return nil
	}
	size := v.stack.Info().Size
	if v.device.Size() == size {
		return nil
	}
	ctx, cancel := context.WithTimeout(v.life, resizeWithin)
	defer cancel()
	if err := v.awaitFlow(ctx); err != nil {
		return err
	}
	if err := v.device.Resize(ctx, size); err != nil {
		return err
	}
	v.log.Info("device resized", "size", size)
	return nil
}

// awaitFlow returns when requests do not wait for a path, or for a fence. The kernel waits for all of them to resize a device, and nothing
// else can be asked of the nbd driver meanwhile, for no device: a successor could not even take it over.
func (v *volume) awaitFlow(ctx context.Context) error {
	for {
		if s := v.stack.Status(); s.Held+s.Waiting == 0 && v.stack.PathsUp() > 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the device keeps its size while I/O waits for a path: %w", context.Cause(ctx))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// lost is the end of the device's connection. On the loop. Somebody has disconnected the device, or it broke the protocol: then it gets a
// fresh one.
func (v *volume) lost(err error) {
	if v.life.Err() == nil {
		v.node.wg.Go(func() { v.reconnect(err) })
	}
}

// A fresh connection may take so long, and after an attempt that failed there is another one, until the volume is to end.
const (
	reconnectWithin = 30 * time.Second
	reconnectAgain  = time.Second
)

func (v *volume) reconnect(why error) {
	for {
		err := v.tryReconnect()
		switch {
		case err == nil, v.life.Err() != nil:
			return
		case errors.Is(err, kernel.ErrNotConnected), errors.Is(err, kernel.ErrNotOurs):
			v.log.Error("the device is gone: detach the volume and attach it again", "reason", err.Error())
			v.set(func() { v.reason = "the device is gone: " + errors.Join(why, err).Error() })
			return
		}
		v.log.Error("the device has lost its connection: another attempt follows", "in", reconnectAgain.String(), "reason", err.Error())
		v.set(func() { v.reason = "the device has lost its connection: " + errors.Join(why, err).Error() })
		select {
		case <-v.life.Done():
			return
		case <-time.After(reconnectAgain):
		}
	}
}

// tryReconnect gives the device a fresh connection. One that was detached meanwhile needs none.
func (v *volume) tryReconnect() error {
	v.op.Lock()
	defer v.op.Unlock()
	if v.over || v.device == nil || v.life.Err() != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(v.life, reconnectWithin)
	defer cancel()
	conn, err := v.device.Reconnect(ctx)
	if err != nil {
		return err
	}
	if err := v.stack.Server.Transmit("", conn); err != nil {
		return err
	}
	v.log.Warn("the device has a fresh connection", "device", v.device.Path())
	v.set(func() { v.reason = "" })
	return nil
}

// suspend ends the process's part and leaves the device for a successor.
func (v *volume) suspend() error {
	v.end()
	v.op.Lock()
	defer v.op.Unlock()
	if v.over || v.held != nil {
		return nil
	}
	v.over = true
	if v.stack == nil {
		return nil
	}
	v.writeErrors() // the last ones
	_, err := v.stack.Suspend(v.node.cfg.DrainTimeout)
	if err == nil { // what was given up has not reached the device: the successor is asked again
		v.writeErrors()
	}
	if errors.Is(err, nbd.ErrClosed) {
		err = nil
	}
	return err
}
