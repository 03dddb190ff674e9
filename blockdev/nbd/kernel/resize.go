package kernel

import (
	"context"
	"fmt"
)

// Resize changes the size of the device, in bytes; the kernel tells its users. A smaller size is refused while somebody uses
// the device.
//
// WARNING: the kernel freezes the queue for it, and waits until all I/O in flight has been answered. Never call it on the
// loop that answers, nor while I/O is held back, as with all paths down: it would hang, and with it every other call to
// the nbd driver. If the server dies meanwhile that is for good, as Reconnect is such a call: only a restart of the host ends it.
func (d *Device) Resize(ctx context.Context, size uint64) error {
	return newError("resize", d.Path(), d.resize(ctx, size))
}

func (d *Device) resize(ctx context.Context, size uint64) error {
	spec := d.spec
	spec.Size = size
	if err := spec.validate(); err != nil {
		return err
	}
	if err := d.check(); err != nil {
		return err
	}
	if size < d.Size() {
		if err := d.unused(ctx, claiming); err != nil {
			return fmt.Errorf("it would shrink, from %d bytes to %d: %w", d.Size(), size, err)
		}
	}
	_, err := d.host.have(ctx, order{Errand: resizing, Index: d.index, Spec: d.spec, Size: size}, nil)
	return err
}
