package kernel

import (
	"cmp"
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"time"
)

// Connect makes a device as spec says, and returns it with our end of its connection. The server must be given that end at
// once: the kernel and udev read from a device as soon as it is there. The connection is the device's life; see
// [Device.Reconnect] for what happens when it ends.
//
// The kernel chooses the device and takes it in one step, so two callers never get the same. A chosen one that is in use is
// refused with a *BusyError, and so is a second device for the same backend. Where there is no driver and it cannot be
// loaded, the error is a *DriverError.
func Connect(ctx context.Context, spec Spec) (*Device, net.Conn, error) {
	return linux.connect(ctx, spec)
}

func (h *host) connect(ctx context.Context, spec Spec) (*Device, net.Conn, error) {
	d, c, err := h.tryConnect(ctx, spec.withDefaults())
	return d, c, newError("connect", deviceOf(spec, err), err)
}

// deviceOf is the device that an error of Connect is about, if there is one.
func deviceOf(spec Spec, err error) string {
	var busy *BusyError
	switch {
	case errors.As(err, &busy):
		return busy.Device
	case spec.Index >= 0:
		return nodeOf(spec.Index)
	}
	return ""
}

func (h *host) tryConnect(ctx context.Context, spec Spec) (*Device, net.Conn, error) {
	if err := cmp.Or(spec.validate(), context.Cause(ctx)); err != nil {
		return nil, nil, err
	}
	if old, found, err := h.find(spec); err != nil {
		return nil, nil, err
	} else if found {
		return nil, nil, h.busy(old.index)
	}
	for until := time.Now().Add(h.settle); ; {
		d, c, err := h.connectOnce(ctx, spec)
		if spec.Index == AnyIndex || !isBusy(err) {
			return d, c, err
		}
		if _, taken := h.connected(spec.Index); taken || time.Now().After(until) || ctx.Err() != nil {
			return nil, nil, h.busy(spec.Index)
		}
		time.Sleep(h.settle / 10) // each try is a line in the kernel's log
	}
}

// isBusy knows EEXIST too: somebody made the chosen device in the same moment.
func isBusy(err error) bool { return errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.EEXIST) }

// connectOnce has a device made of one end of a new socket pair, of which the kernel keeps a reference of its own.
func (h *host) connectOnce(ctx context.Context, spec Spec) (*Device, net.Conn, error) {
	ours, kernels, err := socketPair(spec.SendBuffer)
	if err != nil {
		return nil, nil, err
	}
	r, err := h.have(ctx, order{Errand: connecting, Index: spec.Index, Spec: spec, socket: kernels}, func(r report) {
		_, _ = h.have(context.Background(), order{Errand: disconnecting, Index: r.Index}, nil)
	})
	if err != nil {
		_ = ours.Close()
		return nil, nil, err
	}
	return &Device{host: h, index: r.Index, spec: spec}, ours, nil
}

// connectSocket sends CONNECT. A device for which nobody waits any more, as one who was killed meanwhile, goes at once.
func (h *host) connectSocket(ctx context.Context, spec Spec, kernels *os.File) (int, error) {
	if err := h.load(ctx); err != nil {
		return 0, err
	}
	answer, err := h.exchange(connectMessage(spec, int(kernels.Fd())), 0)
	if err != nil {
		return 0, err
	}
	index, err := connectedIndex(answer)
	if err == nil && ctx.Err() != nil {
		_, _ = h.exchange(disconnectMessage(index), ack)
		err = &StuckError{Err: context.Cause(ctx)}
	}
	return index, err
}
