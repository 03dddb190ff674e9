package vm

import (
	"errors"
	"fmt"
)

// Why a VM ended without a status of its command.
var (
	ErrBoot    = errors.New("killed: it did not boot in time")
	ErrTimeout = errors.New("killed: the command did not end in time")
	ErrPanic   = errors.New("the kernel panicked")
	ErrEnded   = errors.New("ended before its command did")
)

// An ExitError says that the command ran, and failed.
type ExitError struct {
	Status int    // as a shell has it
	Stderr string // the end of what it wrote
}

func (e *ExitError) Error() string {
	if e.Stderr == "" {
		return fmt.Sprintf("vm: exit status %d", e.Status)
	}
	return fmt.Sprintf("vm: exit status %d; on stderr:\n%s", e.Status, e.Stderr)
}

// A VMError says that the VM failed, and what it last said.
type VMError struct {
	Err     error  // one of ours, a context's, or QEMU's
	Console string // the end of the console
	Log     string // the path of all of it
}

func (e *VMError) Error() string {
	return fmt.Sprintf("vm: %v; the end of the console (all of it: %s):\n%s", e.Err, e.Log, e.Console)
}

// Unwrap returns why it failed.
func (e *VMError) Unwrap() error { return e.Err }
