package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/nbd"
	"github.com/hawser-storage/hawser/blockdev/nbd/kernel"
)

// backendOf is what the kernel keeps with a device, for udev's rules to make names of and for a successor to find it by.
func backendOf(name, identity string) string { return "hawser:" + name + ":" + identity }

// linkOf is the name that udev's rules make of it.
func linkOf(name string) string { return "/dev/hawser/" + name }

// identityOf is a volume's name at the storage: its designation, or else its serial number.
func identityOf(i *blockdev.Info) string {
	id := i.Identity.ID
	if id == "" {
		id = "serial." + i.Identity.Serial
	}
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f || r == '/' {
			return '_'
		}
		return r
	}, id)
}

func (v *volume) spec() kernel.Spec {
	info := v.stack.Info()
	return kernel.Spec{
		Index:           deviceIndex(v.record.Request.Device),
		Size:            info.Size,
		BlockSize:       info.BlockSize,
		Flags:           uint64(nbd.TransmissionFlags(info)),
		Backend:         backendOf(v.name, identityOf(info)),
		DeadConnTimeout: seconds(v.record.Request.Options.DeadConnTimeout, v.deadConn()),
		MaxRequest:      v.stack.Server.MaxRequest(),
		Rotational:      info.Rotational,
	}
}

// deadConn is the kernel's patience where none was asked for: not less than the volume's own, for a successor is served by the kernel only
// when its storage is there.
func (v *volume) deadConn() time.Duration {
	const forEver = 7 * 24 * time.Hour
	if v.cfg.Retry < 0 {
		return forEver
	}
	return max(defaultDeadConn, v.cfg.Retry+v.cfg.Fence)
}

// How long the kernel may take. Where it waits for I/O that is as long as the paths do, and no longer makes sense.
const (
	connectWithin  = 30 * time.Second
	startWithin    = time.Minute
	announceWithin = 10 * time.Second // udev
	undoWithin     = 10 * time.Second
)

// makeDevice gives the volume its device: the one that a former process has left, or a new one.
func (v *volume) makeDevice() error {
	spec := v.spec()
	d, found, err := v.node.cfg.Front.Find(spec)
	if err != nil {
		return err
	}
	if !found && v.node.leftBehind(v.name) != "" {
		return fmt.Errorf("there is a device of a volume %s that is another one than what the paths lead to now: detach it first, with nbd-client -d if need be", v.name)
	}
	ctx, cancel := context.WithTimeout(v.life, connectWithin)
	defer cancel()
	var conn net.Conn
	if found {
		conn, err = d.Reconnect(ctx)
	} else {
		d, conn, err = v.node.cfg.Front.Connect(ctx, spec)
	}
	if err != nil {
		return err
	}
	v.set(func() { v.device = d })
	if err := v.startDevice(d, conn); err != nil {
		v.set(func() { v.device = nil })
		if !found {
			err = errors.Join(err, v.undo(d))
		}
		return err
	}
	if !found {
		v.announce(d)
	}
	v.log.Info("device", "path", d.Path(), "taken_over", found, "size", spec.Size)
	return nil
}

// startDevice serves the device, sets its queue, and waits until it answers.
func (v *volume) startDevice(d Device, conn net.Conn) error {
	if err := v.stack.Server.Transmit("", conn); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(v.life, startWithin)
	defer cancel()
	v.set(func() { v.warnings = nil })
	wrong, err := d.Start(ctx)
	for _, w := range wrong {
		v.warn(d, w)
	}
	return err
}

// announce waits until the device has its name. It has its uses without.
func (v *volume) announce(d Device) {
	ctx, cancel := context.WithTimeoutCause(v.life, announceWithin, fmt.Errorf("not within %v", announceWithin))
	defer cancel()
	if err := d.Announce(ctx, linkOf(v.name)); err != nil && v.life.Err() == nil {
		v.warn(d, err)
	}
}

// warn keeps what is not as it should be with a device that works.
func (v *volume) warn(d Device, err error) {
	v.log.Warn("device", "path", d.Path(), "warning", err.Error())
	v.set(func() { v.warnings = append(slices.Clip(v.warnings), err.Error()) })
}

// undo takes a device away that nobody has been told of.
func (v *volume) undo(d Device) error {
	ctx, cancel := context.WithTimeout(context.Background(), undoWithin)
	defer cancel()
	return d.Disconnect(ctx)
}
