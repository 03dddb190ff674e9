package kernel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

// Reconnect gives the device a fresh connection for its dead one, and returns our end, for the server. I/O that waits goes on; what
// the dead connection had in flight is sent again when the block layer's timer looks at it, within queue/io_timeout and a second.
//
// A device whose connection was dead for longer than Spec.DeadConnTimeout takes a fresh one still; one that was disconnected, and is
// only there because somebody has it open, does not. While the old connection lives, the kernel takes no other, and is silent about
// it; Reconnect notices, and tries until ctx ends. It is not for the loop.
func (d *Device) Reconnect(ctx context.Context) (net.Conn, error) {
	c, err := d.reconnect(ctx)
	return c, newError("reconnect", d.Path(), err)
}

func (d *Device) reconnect(ctx context.Context) (net.Conn, error) {
	const pause = 20 * time.Millisecond
	for tried := false; ; tried = true {
		if err := d.check(); err != nil {
			return nil, err
		}
		c, err := d.reconnectOnce(ctx)
		if tried && errors.Is(err, ErrStuck) { // it was cut short, and knows less than the one before
			return nil, alive(ctx)
		}
		if errors.Is(err, syscall.EINVAL) {
			return nil, fmt.Errorf("%w: it was disconnected, and stays until those are gone who have it open (%s): %w",
				ErrNotConnected, list(d.host.holders(d.index)), err)
		}
		if err != nil {
			return nil, err
		}
		if !hungUp(c) {
			return c, nil
		}
		_ = c.Close()
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		if ctx.Err() != nil {
			return nil, alive(ctx)
		}
	}
}

func alive(ctx context.Context) error {
	return fmt.Errorf("its connection is alive; end the process that serves it: %w", context.Cause(ctx))
}

// reconnectOnce offers one end of a new socket pair. A kernel that does not need it says nothing and lets go of it: then
// nobody has that end any more once ours is closed, and the connection is hung up.
func (d *Device) reconnectOnce(ctx context.Context) (net.Conn, error) {
	ours, kernels, err := socketPair(d.spec.SendBuffer)
	if err != nil {
		return nil, err
	}
	_, err = d.host.have(ctx, order{Errand: reconnecting, Index: d.index, Spec: d.spec, socket: kernels}, nil)
	if err != nil {
		_ = ours.Close()
		return nil, err
	}
	return ours, nil
}
