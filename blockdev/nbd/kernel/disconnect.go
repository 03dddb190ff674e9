package kernel

import (
	"context"
	"errors"
)

// Disconnect ends the device, and waits until the kernel has let go of it. Requests in flight fail; so flush, unmount and ask
// CheckUnused before. A device that is gone already is no error, and one that has another owner by now is left alone.
//
// One that somebody has open stays, without a connection, until he closes it: what he does with it fails. If that takes longer
// than two seconds the error is a *BusyError with the names of the holders; they are what is left to be ended.
//
// It waits for room in the socket, so with a server that does not read, close the server's connection first.
func (d *Device) Disconnect(ctx context.Context) error {
	return newError("disconnect", d.Path(), d.disconnect(ctx))
}

func (d *Device) disconnect(ctx context.Context) error {
	if err := d.check(); errors.Is(err, ErrNotConnected) {
		return nil
	} else if err != nil {
		return err
	}
	if err := d.errand(ctx, disconnecting); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, d.host.settle)
	defer cancel()
	if !poll(ctx, func() bool { return d.check() != nil }) {
		return d.host.busy(d.index)
	}
	return nil
}
