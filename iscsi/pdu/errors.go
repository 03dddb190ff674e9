package pdu

import (
	"errors"
	"fmt"
)

// ErrShort says that the buffer ends before the PDU does: read more and parse again.
var ErrShort = errors.New("iscsi: PDU is not complete yet")

// FormatError is a header that breaks a rule of its format. The stream is still in step,
// but the peer cannot be trusted: an initiator drops the connection, a target answers
// Reject with "protocol error" or "invalid PDU field".
type FormatError struct {
	Op     Opcode // the PDU that was to be decoded
	Field  string // the RFC's name of the field or flag
	Reason string
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("iscsi: malformed %v: %s: %s", e.Op, e.Field, e.Reason)
}

// LengthError is a PDU whose data segment is longer than the receiver declared
// it would take (MaxRecvDataSegmentLength). Nothing of the segment was read.
type LengthError struct {
	Op  Opcode
	Got int // DataSegmentLength in bytes
	Max int // the limit in bytes
}

func (e *LengthError) Error() string {
	return fmt.Sprintf("iscsi: %v: data segment of %d bytes, at most %d were agreed", e.Op, e.Got, e.Max)
}

// DigestError is a CRC32C that does not match what it covers. After a header
// digest error the stream has lost its framing; after a data digest error it has not.
type DigestError struct {
	Header bool   // the header digest; else the data digest
	Want   uint32 // computed over the bytes received
	Got    uint32 // received
}

func (e *DigestError) Error() string {
	kind := "data"
	if e.Header {
		kind = "header"
	}
	return fmt.Sprintf("iscsi: %s digest is 0x%08x, the bytes received have 0x%08x", kind, e.Got, e.Want)
}

func malformed(op Opcode, field, reason string) error {
	return &FormatError{Op: op, Field: field, Reason: reason}
}

// checkOpcode is the first check of every Decode.
func checkOpcode(b *BHS, op Opcode) error {
	if OpcodeOf(b) != op {
		return malformed(op, "Opcode", "is that of "+OpcodeOf(b).String())
	}
	return nil
}

// checkPlain checks a header that no AHS can follow: those defined belong to SCSI Command.
func checkPlain(b *BHS, op Opcode) error {
	if err := checkOpcode(b, op); err != nil {
		return err
	}
	if AHSLen(b) != 0 {
		return malformed(op, "TotalAHSLength", "no additional header segment is defined for this PDU")
	}
	return nil
}

// checkBare checks a header that nothing can follow.
func checkBare(b *BHS, op Opcode) error {
	if err := checkPlain(b, op); err != nil {
		return err
	}
	if DataLen(b) != 0 {
		return malformed(op, "DataSegmentLength", "must be 0, this PDU has no data segment")
	}
	return nil
}

// checkTask checks that the PDU names a task.
func checkTask(op Opcode, itt uint32) error {
	if itt == ReservedTag {
		return malformed(op, "Initiator Task Tag", "must not be the reserved tag 0xffffffff")
	}
	return nil
}
