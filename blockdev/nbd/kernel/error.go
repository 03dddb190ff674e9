package kernel

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// What errors of this package are, for errors.Is.
var (
	ErrNoDriver     = errors.New("no nbd driver")                 // a *DriverError says what to do
	ErrBusy         = errors.New("in use")                        // a *BusyError says by whom
	ErrNotConnected = errors.New("not connected")                 // there is no such device any more
	ErrNotOurs      = errors.New("connected for another backend") // the number has a new owner
	ErrStuck        = errors.New("the kernel has not answered")   // a *StuckError
)

// Error is a failure of an operation on a device. Everything that this package returns is one.
type Error struct {
	Op     string // connect, reconnect, resize, disconnect, ...
	Device string // /dev/nbdN; empty where none was chosen yet
	Err    error
}

func (e *Error) Error() string {
	return strings.TrimSpace("nbd: "+e.Op+" "+e.Device) + ": " + explain(e.Op, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// newError is nil for no error.
func newError(op, device string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Device: device, Err: err}
}

// explain adds what to do to what the kernel says.
func explain(op string, err error) string {
	switch {
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		return err.Error() + ": CAP_SYS_ADMIN in the host's user namespace is needed (root; containers: a privileged one)"
	case errors.Is(err, syscall.EINVAL) && op == "connect":
		return err.Error() + ": the driver refuses the size, the block size (a page at most), or the device number, or the device is being " +
			"removed; the kernel's log says which"
	case errors.Is(err, syscall.EINVAL):
		return err.Error() + "; the kernel's log says why"
	}
	return err.Error()
}

// DriverError says why the driver cannot be used.
type DriverError struct {
	Err    error  // of modprobe; may be nil
	Advice string // what to do
}

func (e *DriverError) Error() string {
	if e.Err == nil {
		return ErrNoDriver.Error() + ": " + e.Advice
	}
	return fmt.Sprintf("%v: %v: %s", ErrNoDriver, e.Err, e.Advice)
}

// Is makes it an ErrNoDriver.
func (e *DriverError) Is(target error) bool { return target == ErrNoDriver }

func (e *DriverError) Unwrap() error { return e.Err }

// BusyError says who has the device.
type BusyError struct {
	Device  string   // /dev/nbdN
	Backend string   // of the device that is connected; empty where its owner gave none
	PID     int      // of the process that connected it; 0 where that is gone, or there is none
	Holders []Holder // who uses it, so far as can be seen
}

func (e *BusyError) Error() string {
	var b strings.Builder
	b.WriteString(ErrBusy.Error())
	if e.Backend != "" {
		b.WriteString(" for " + e.Backend)
	}
	if e.PID != 0 {
		fmt.Fprintf(&b, ", connected by process %d", e.PID)
	}
	if len(e.Holders) > 0 {
		b.WriteString(": " + list(e.Holders))
	}
	return b.String()
}

// busy says who has a device.
func (h *host) busy(index int) error { return h.busyFor(index, h.holders(index)) }

func (h *host) busyFor(index int, holders []Holder) error {
	c, _ := h.connected(index)
	return &BusyError{Device: nodeOf(index), Backend: c.Backend, PID: c.PID, Holders: holders}
}

// Is makes it an ErrBusy.
func (e *BusyError) Is(target error) bool { return target == ErrBusy }

// StuckError says that the caller was let go while the kernel was at it. What was asked for may still happen.
type StuckError struct {
	Err error // why the caller did not wait longer
}

func (e *StuckError) Error() string {
	return fmt.Sprintf("%v, and may still do what it was asked: %v", ErrStuck, e.Err)
}

// Is makes it an ErrStuck.
func (e *StuckError) Is(target error) bool { return target == ErrStuck }

func (e *StuckError) Unwrap() error { return e.Err }
