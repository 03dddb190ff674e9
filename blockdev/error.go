package blockdev

import (
	"errors"
	"fmt"
)

// Outcome says what became of a request that did not succeed. It decides what may be done next.
type Outcome uint8

// The outcomes.
const (
	NotSent Outcome = iota // nothing of it left this host: send it anywhere
	Failed                 // the device answered that it failed, and is done with it
	Unknown                // it was sent and not answered: it may have happened, and may yet happen
)

func (o Outcome) String() string {
	switch o {
	case NotSent:
		return "not sent"
	case Failed:
		return "failed"
	case Unknown:
		return "outcome unknown"
	}
	return fmt.Sprintf("outcome(%d)", uint8(o))
}

// Code is the class of an error: what the border to the kernel and the retry decision go by.
type Code uint8

// The codes.
const (
	CodeIO          Code = iota // the device could not do it
	CodeInvalid                 // the request makes no sense to the device
	CodeOutOfRange              // beyond the end of the device
	CodeReadOnly                // write-protected
	CodeNoSpace                 // thin provisioning ran out
	CodeUnsupported             // the device cannot do this operation
	CodeReservation             // another host holds a reservation
	CodeTransport               // the way to the device broke
	CodeTimeout                 // the device did not answer in time
	CodeNoPath                  // no way to the device is left
	CodeShutdown                // the device is closing
	CodeNoMemory                // no arena memory for it
)

var codeNames = [...]string{
	"I/O error", "invalid request", "out of range", "read-only", "no space", "not supported", "reservation conflict",
	"connection failed", "timed out", "no path", "shutting down", "out of buffers",
}

func (c Code) String() string {
	if int(c) < len(codeNames) {
		return codeNames[c]
	}
	return fmt.Sprintf("code(%d)", uint8(c))
}

// SCSIStatus is the device's own word on a failure, where it gave one (SAM-5 5.3.1, SPC-4 4.5).
type SCSIStatus struct {
	Valid    bool  // the target answered with a status
	Status   uint8 // SAM status byte
	HasSense bool
	Deferred bool // the sense is about an earlier command
	Key      uint8
	ASC      uint8
	ASCQ     uint8
}

// Error is the only type of error that a request completes with.
type Error struct {
	Outcome Outcome
	Code    Code
	SCSI    SCSIStatus
	Where   string // the path, portal or device that it happened on; may be empty
	Err     error  // the cause; may be nil
}

func (e *Error) Error() string {
	s := e.Code.String()
	if e.Err != nil {
		s = e.Err.Error()
	}
	if e.Outcome == Unknown {
		s += " (" + e.Outcome.String() + ")"
	}
	if e.Where != "" {
		return e.Where + ": " + s
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// AsError gives the *Error in err's chain, or wraps err as an I/O error whose outcome is unknown: the careful assumption.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Outcome: Unknown, Code: CodeIO, Err: err}
}
