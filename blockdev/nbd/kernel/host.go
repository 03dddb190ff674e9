package kernel

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/mdlayher/genetlink"
)

// host is where the package meets the kernel. Tests put a directory and a script in its place.
type host struct {
	root       string                          // in front of /sys, /proc, /dev and /run
	dial       func() (*genetlink.Conn, error) // generic netlink
	modprobe   func(ctx context.Context) error // loads the driver
	settleUdev func(ctx context.Context) error // waits for udev
	program    string                          // of the processes that do errands; "" leaves them to threads
	self       int                             // the process whose open files are no holders
	settle     time.Duration                   // how long a device may be held open by somebody who only has a look
}

var linux = &host{
	dial:       func() (*genetlink.Conn, error) { return genetlink.Dial(nil) },
	modprobe:   modprobe,
	settleUdev: settleUdev,
	self:       os.Getpid(),
	settle:     2 * time.Second, // udev opens a device that has ended, or that was written to and closed
}

// path is a file below the root.
func (h *host) path(elem ...string) string {
	return filepath.Join(append([]string{h.root, "/"}, elem...)...)
}
