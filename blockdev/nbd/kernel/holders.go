package kernel

import (
	"context"
	"errors"
	"syscall"
	"time"
)

// Holders says who uses device number index: all mounts, swap space, processes, volume groups, arrays and maps, of the device itself, of
// its partitions, and of whatever lies on either, in every mount namespace that /proc shows us. What this process has open
// itself does not count, nor what does an errand for it. An errand that a dead process has left, such as hawser-flush, does: it waits for I/O.
//
// It is a look at what changes all the time. What it cannot see: use from within the kernel that leaves no link in sysfs, such as an
// exported target; [Device.CheckUnused] asks the kernel about that as well as it may be asked.
func Holders(index int) []Holder { return linux.holders(index) }

func (h *host) holders(index int) []Holder {
	s := h.stackOf(index)
	var all []Holder
	for _, find := range []func(stack) []Holder{h.mounts, h.swaps, h.processes, h.groups, h.stacked} {
		all = append(all, find(s)...)
	}
	return all
}

// CheckUnused is nil if nobody uses the device, and a *BusyError otherwise. Processes get two seconds to be done, as udev has a look
// whenever a device has been written to. The kernel is asked last, by an attempt to get the device for exclusive use.
func (d *Device) CheckUnused(ctx context.Context) error {
	return newError("check", d.Path(), d.unused(ctx, claiming))
}

// FlushUnused is CheckUnused, and then Flush, with nobody able to get the device for exclusive use in between.
func (d *Device) FlushUnused(ctx context.Context) error {
	return newError("flush", d.Path(), d.unused(ctx, draining))
}

func (d *Device) unused(ctx context.Context, e errand) error {
	for until := time.Now().Add(d.host.settle); ; {
		holders := d.host.holders(d.index)
		if len(holders) == 0 {
			return d.unclaimed(ctx, e)
		}
		if !onlyProcesses(holders) || time.Now().After(until) || ctx.Err() != nil {
			return d.host.busyFor(d.index, holders)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func onlyProcesses(holders []Holder) bool {
	for _, h := range holders {
		if h.Kind != Process {
			return false
		}
	}
	return true
}

// unclaimed gets the device for exclusive use, for a moment. Mounted file systems, swap and all that is stacked on a device or on
// a partition of it have it exclusively.
func (d *Device) unclaimed(ctx context.Context, e errand) error {
	err := d.errand(ctx, e)
	if !errors.Is(err, syscall.EBUSY) {
		return err
	}
	holders := d.host.errands(d.host.stackOf(d.index)) // who was let go from this very question, and still waits
	if len(holders) == 0 {
		holders = []Holder{{Kind: Claim, Device: d.name(), whole: true}}
	}
	return d.host.busyFor(d.index, holders)
}
