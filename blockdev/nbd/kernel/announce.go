package kernel

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Announce has udev look at the device, and waits until link leads to its node, or udev has made all that it makes. The kernel announces
// a device itself, before sysfs shows its backend: a rule that asks for that may have come too early. It is for a device that answers.
//
// Where no udev listens, as in a container, nobody is waited for.
func (d *Device) Announce(ctx context.Context, link string) error {
	return newError("announce", d.Path(), d.announce(ctx, link))
}

func (d *Device) announce(ctx context.Context, link string) error {
	if err := d.host.write("change", "sys/block", d.name(), "uevent"); err != nil {
		return err
	}
	if _, err := os.Stat(d.host.path("run/udev/control")); err != nil {
		return nil
	}
	settling, cancel := context.WithCancel(ctx)
	settled := make(chan error, 1)
	go func() { settled <- d.host.settleUdev(settling) }()
	done := func() bool { return d.leads(link) || len(settled) > 0 }
	linked := poll(ctx, done) && d.leads(link)
	cancel() // others' devices, for which udev may have work for long
	if err := cmp.Or(context.Cause(ctx), <-settled); err != nil && !linked {
		return fmt.Errorf("udev has not made %s: %w: see 'journalctl -u systemd-udevd'; %s works without it", link, err, d.Path())
	}
	return nil // without our rules there is no such link
}

// leads says whether a link leads to the device's node.
func (d *Device) leads(link string) bool {
	node, err := filepath.EvalSymlinks(d.host.path(link))
	return err == nil && node == d.host.path(d.Path())
}

// settleUdev waits until udev has dealt with all events that there are.
func settleUdev(ctx context.Context) error {
	program, err := findProgram("udevadm")
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, program, "settle", "--timeout=3600").CombinedOutput() // ctx is what ends it
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("%s settle: %w: %s", program, err, strings.TrimSpace(string(out)))
	}
	return nil
}
