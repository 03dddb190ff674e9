package nbd

import (
	"github.com/hawser-storage/hawser/blockdev"
	"github.com/pojntfx/go-nbd/pkg/protocol"
)

// The error values of the protocol.
const (
	errnoPerm     = protocol.TRANSMISSION_ERROR_EPERM
	errnoIO       = 5
	errnoNoMemory = 12
	errnoInvalid  = protocol.TRANSMISSION_ERROR_EINVAL
	errnoNoSpace  = 28
	errnoNotSup   = 95
	errnoShutdown = 108
)

// errnos is the border to the client: the one place where a device's error becomes a number. A reservation conflict, a dead path
// and a timeout are all EIO there; which it was is in the device's own counters.
var errnos = [...]uint32{
	blockdev.CodeIO:          errnoIO,
	blockdev.CodeInvalid:     errnoInvalid,
	blockdev.CodeOutOfRange:  errnoInvalid, // a write: see errnoOf
	blockdev.CodeReadOnly:    errnoPerm,
	blockdev.CodeNoSpace:     errnoNoSpace,
	blockdev.CodeUnsupported: errnoNotSup,
	blockdev.CodeReservation: errnoIO,
	blockdev.CodeTransport:   errnoIO,
	blockdev.CodeTimeout:     errnoIO,
	blockdev.CodeNoPath:      errnoIO,
	blockdev.CodeShutdown:    errnoShutdown,
	blockdev.CodeNoMemory:    errnoNoMemory,
}

// errnoOf is the number for the error of an operation; 0 for none.
func errnoOf(op blockdev.Op, err error) uint32 {
	if err == nil {
		return 0
	}
	code := blockdev.AsError(err).Code
	if code == blockdev.CodeOutOfRange {
		return rangeErrno(op)
	}
	if int(code) < len(errnos) {
		return errnos[code]
	}
	return errnoIO
}

// rangeErrno is the answer to what lies beyond the end of the export: to a writer it is as if the medium were full.
func rangeErrno(op blockdev.Op) uint32 {
	if op == blockdev.Write || op == blockdev.WriteZeroes {
		return errnoNoSpace
	}
	return errnoInvalid
}
