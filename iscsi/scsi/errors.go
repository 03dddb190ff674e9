package scsi

import (
	"errors"
	"fmt"
)

// ErrUseReadCapacity16 is what ParseCapacity10 says of a device too large for READ CAPACITY(10): ask with READ CAPACITY(16).
var ErrUseReadCapacity16 = errors.New("scsi: device is too large for READ CAPACITY(10): ask with READ CAPACITY(16)")

// A CDBError says which byte of a CDB the parser refuses. A target answers it with CHECK CONDITION and Sense.
type CDBError struct {
	Opcode Opcode
	Byte   uint8  // offset of the refused byte; 0 means that the command itself is not this one
	Reason string // what is wrong with it
}

func (e *CDBError) Error() string {
	return fmt.Sprintf("scsi: CDB of %v, byte %d: %s", e.Opcode, e.Byte, e.Reason)
}

// Sense returns what a target has to report: invalid command operation code for byte 0, else invalid field in CDB with a
// pointer to the byte.
func (e *CDBError) Sense() Sense {
	if e.Byte == 0 {
		return NewSense(KeyIllegalRequest, CodeInvalidOpcode)
	}
	return InvalidFieldInCDB(e.Byte)
}

func badOpcode(c *CDB) error {
	return &CDBError{Opcode: OpcodeOf(c), Reason: "not the command that was to be parsed"}
}

func badField(c *CDB, offset int, reason string) error {
	return &CDBError{Opcode: OpcodeOf(c), Byte: uint8(offset), Reason: reason}
}

// A FormatError says why parameter data or a VPD page cannot be used.
type FormatError struct {
	What   string // the page or list, as "VPD page 83"
	Reason string
	Have   int // bytes that were given to the parser
	Need   int // if not 0, bytes that the whole would take: ask again with at least this allocation length
}

func (e *FormatError) Error() string {
	if e.Need > 0 {
		return fmt.Sprintf("scsi: %s: %s: %d bytes of %d", e.What, e.Reason, e.Have, e.Need)
	}
	return fmt.Sprintf("scsi: %s: %s", e.What, e.Reason)
}

func badData(what, reason string) error {
	return &FormatError{What: what, Reason: reason}
}

// truncated is the error for data that stops before its end.
func truncated(what string, have, need int) error {
	return &FormatError{What: what, Reason: "truncated", Have: have, Need: need}
}
