package iscsi

import (
	"errors"
	"fmt"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// A ProtocolError is a violation of RFC 7143 by the target. It ends the connection.
type ProtocolError struct {
	Reason string
}

func (e *ProtocolError) Error() string { return "the target broke the protocol: " + e.Reason }

func protocolError(format string, args ...any) error {
	return &ProtocolError{Reason: fmt.Sprintf(format, args...)}
}

// A StatusError is a SCSI status other than GOOD.
type StatusError struct {
	Command  scsi.Opcode
	Status   scsi.Status
	Sense    scsi.Sense // valid if HasSense
	HasSense bool
}

func (e *StatusError) Error() string {
	if e.HasSense {
		return fmt.Sprintf("%v: %v", e.Command, e.Sense)
	}
	return fmt.Sprintf("%v: %v", e.Command, e.Status)
}

// Reasons for which a session ends a connection, or a command fails without the target's word.
var (
	ErrSilent    = errors.New("the target does not answer")
	ErrClosed    = errors.New("the target closed the connection")
	ErrShutdown  = errors.New("the session is closing")
	ErrNotReady  = errors.New("not connected")
	ErrAborted   = errors.New("aborted after it was not answered in time")
	ErrLoggedOut = errors.New("logged out at the target's request")
	errNoMemory  = errors.New("the buffer arena is used up")
)

// statusError makes the error of a command that the target has answered.
func (t *task) statusError(status scsi.Status, sense scsi.Sense, hasSense bool) *blockdev.Error {
	e := &blockdev.Error{
		Outcome: blockdev.Failed,
		Code:    codeOf(status, sense, hasSense),
		Where:   t.lun.String(),
		SCSI:    blockdev.SCSIStatus{Valid: true, Status: uint8(status), HasSense: hasSense},
		Err:     &StatusError{Command: scsi.OpcodeOf(&t.cdb), Status: status, Sense: sense, HasSense: hasSense},
	}
	if hasSense {
		e.SCSI.Deferred, e.SCSI.Key, e.SCSI.ASC, e.SCSI.ASCQ = sense.Deferred, uint8(sense.Key), sense.ASC, sense.ASCQ
	}
	return e
}

// codeOf classes a status for the layers that do not speak SCSI.
func codeOf(status scsi.Status, sense scsi.Sense, hasSense bool) blockdev.Code {
	switch {
	case status == scsi.StatusReservationConflict:
		return blockdev.CodeReservation
	case !hasSense || status != scsi.StatusCheckCondition:
		return blockdev.CodeIO
	}
	switch sense.Key {
	case scsi.KeyDataProtect:
		if sense.ASC == 0x27 && sense.ASCQ == 0x07 { // space allocation failed
			return blockdev.CodeNoSpace
		}
		return blockdev.CodeReadOnly
	case scsi.KeyIllegalRequest:
		switch sense.ASC {
		case 0x20: // invalid command operation code
			return blockdev.CodeUnsupported
		case 0x21: // logical block address out of range
			return blockdev.CodeOutOfRange
		}
		return blockdev.CodeInvalid
	}
	return blockdev.CodeIO
}

// lostError makes the error of a command whose connection is gone, or that never had one.
func (t *task) lostError(cause error) *blockdev.Error {
	e := &blockdev.Error{Outcome: blockdev.NotSent, Code: blockdev.CodeTransport, Where: t.lun.String(), Err: cause}
	if t.sent {
		e.Outcome = blockdev.Unknown
	}
	return e
}
