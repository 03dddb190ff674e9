package kernel

import "context"

// Flush has the host write what it holds back of the device, and the storage what it has in its cache. EIO is said once: what could not be
// written is dropped then.
func (d *Device) Flush(ctx context.Context) error {
	return newError("flush", d.Path(), d.errand(ctx, flushing))
}
