package node

import (
	"context"
	"net"

	"github.com/hawser-storage/hawser/blockdev/nbd/kernel"
)

// Front is what makes a block device of a connection to an NBD server. It is the kernel's nbd driver, and for tests something like it.
type Front interface {
	// List is every device that is connected, whoever did that.
	List() []kernel.Connected

	// Find looks for the device with the backend of spec.
	Find(spec kernel.Spec) (Device, bool, error)

	// Connect makes one, and returns the server's end of its connection.
	Connect(ctx context.Context, spec kernel.Spec) (Device, net.Conn, error)
}

// Device is a block device of the host. See [kernel.Device], which is one.
type Device interface {
	Path() string
	Size() uint64
	Start(ctx context.Context) ([]kernel.Warning, error)
	Announce(ctx context.Context, link string) error
	CheckUnused(ctx context.Context) error
	Flush(ctx context.Context) error
	FlushUnused(ctx context.Context) error
	Reconnect(ctx context.Context) (net.Conn, error)
	Resize(ctx context.Context, size uint64) error
	Disconnect(ctx context.Context) error
}

// Kernel is the nbd driver.
type Kernel struct{}

var _ Front = Kernel{}

// List implements [Front].
func (Kernel) List() []kernel.Connected { return kernel.List() }

// Find implements [Front].
func (Kernel) Find(spec kernel.Spec) (Device, bool, error) {
	d, found, err := kernel.Find(spec)
	if err != nil || !found {
		return nil, false, err
	}
	return d, true, nil
}

// Connect implements [Front].
func (Kernel) Connect(ctx context.Context, spec kernel.Spec) (Device, net.Conn, error) {
	d, c, err := kernel.Connect(ctx, spec)
	if err != nil {
		return nil, nil, err
	}
	return d, c, nil
}
