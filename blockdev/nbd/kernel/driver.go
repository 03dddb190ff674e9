package kernel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/mdlayher/genetlink"
)

// family asks for the number under which the driver listens.
func (h *host) family(c *genetlink.Conn) (uint16, error) {
	f, err := c.GetFamily(familyName)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return 0, ErrNoDriver
	case err != nil:
		return 0, fmt.Errorf("asking for the nbd driver: %w", err)
	}
	return f.ID, nil
}

// load makes sure that the driver is there.
func (h *host) load(ctx context.Context) error {
	err := h.present()
	if !errors.Is(err, ErrNoDriver) {
		return err
	}
	if _, err := os.Stat(h.path("sys/module/nbd")); err == nil {
		return &DriverError{Advice: "the nbd module is loaded and does not listen here: that of an older kernel does so in the host's " +
			"network namespace only; run there (containers: host networking)"}
	}
	if err := h.modprobe(ctx); err != nil {
		return &DriverError{Err: err, Advice: "load the nbd module on the host (modprobe nbd); where there is none, " +
			"install the kernel's modules package, or a kernel built with CONFIG_BLK_DEV_NBD"}
	}
	return h.present()
}

func (h *host) present() error {
	c, err := h.dial()
	if err != nil {
		return fmt.Errorf("opening generic netlink: %w", err)
	}
	defer func() { _ = c.Close() }()
	_, err = h.family(c)
	return err
}

// modprobe loads the module with whatever options the host has for it in modprobe.d. Its nbds_max is of no account to us: the
// driver makes a new device when none is free.
func modprobe(ctx context.Context) error {
	program, err := findProgram("modprobe")
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, program, "nbd").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s nbd: %w: %s", program, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// findProgram looks where a program of the system's is. A daemon's PATH need not have it, and root runs no program that a PATH chose.
func findProgram(name string) (string, error) {
	places := []string{"/sbin", "/usr/sbin", "/bin", "/usr/bin"}
	for _, dir := range places {
		p := filepath.Join(dir, name)
		if i, err := os.Stat(p); err == nil && i.Mode().IsRegular() && i.Mode()&0o111 != 0 {
			return p, nil
		}
	}
	return "", fmt.Errorf("%s is in none of %s", name, strings.Join(places, ", "))
}
