package kernel

import (
	"fmt"
	"strconv"
)

// Device is a connected nbd device. It holds nothing open: it is what is known of it, and may be used by any goroutine.
type Device struct {
	host  *host
	index int
	spec  Spec
}

// Index is the N of /dev/nbdN.
func (d *Device) Index() int { return d.index }

// Path is the device's node, /dev/nbdN.
func (d *Device) Path() string { return nodeOf(d.index) }

// Size is the device's size as the kernel has it, in bytes; 0 when it is gone.
func (d *Device) Size() uint64 { return d.host.size(d.index) }

func (d *Device) name() string { return nameOf(d.index) }

func nodeOf(index int) string { return "/dev/" + nameOf(index) }

func nameOf(index int) string { return "nbd" + strconv.Itoa(index) }

// check says whether the device is still ours.
func (d *Device) check() error {
	switch c, ok := d.host.connected(d.index); {
	case !ok:
		return ErrNotConnected
	case c.Backend != d.spec.Backend:
		return fmt.Errorf("%w, %q", ErrNotOurs, c.Backend)
	}
	return nil
}
