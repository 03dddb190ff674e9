package nbd

import (
	"encoding/binary"

	"github.com/pojntfx/go-nbd/pkg/protocol"
)

// What go-nbd's protocol package has no name for: handshake flags, options, option replies.
const (
	flagNoZeroes = 1 << 1 // both sides: no padding after the answer to EXPORT_NAME

	optExportName = 1

	repErrInvalid  = 1<<31 + 3
	repErrShutdown = 1<<31 + 7
	repErrTooBig   = 1<<31 + 9
)

// Transmission flags: what an export can do.
const (
	flagReadOnly    = 1 << 1
	flagSendFlush   = 1 << 2
	flagSendFUA     = 1 << 3
	flagRotational  = 1 << 4
	flagSendTrim    = 1 << 5
	flagWriteZeroes = 1 << 6
	flagFastZero    = 1 << 11
)

// Request types and their flags.
const (
	cmdRead        = protocol.TRANSMISSION_TYPE_REQUEST_READ
	cmdWrite       = protocol.TRANSMISSION_TYPE_REQUEST_WRITE
	cmdDisc        = protocol.TRANSMISSION_TYPE_REQUEST_DISC
	cmdFlush       = 3
	cmdTrim        = 4
	cmdWriteZeroes = 6

	cmdFlagFUA      = 1 << 0
	cmdFlagNoHole   = 1 << 1
	cmdFlagFastZero = 1 << 4
)

// Sizes on the wire, in bytes.
const (
	requestLen      = 28
	replyLen        = 16
	optionLen       = 16
	optionReplyLen  = 20
	maxName         = 4096 // of an export; the longest that the protocol allows
	exportNameZeros = 124
)

// decodeRequest reads the header of a request from b, which is requestLen long.
func decodeRequest(b []byte) (h protocol.TransmissionRequestHeader) {
	_ = b[requestLen-1]
	h.RequestMagic = binary.BigEndian.Uint32(b)
	h.CommandFlags = binary.BigEndian.Uint16(b[4:])
	h.Type = binary.BigEndian.Uint16(b[6:])
	h.Handle = binary.BigEndian.Uint64(b[8:])
	h.Offset = binary.BigEndian.Uint64(b[16:])
	h.Length = binary.BigEndian.Uint32(b[24:])
	return h
}

// encodeReply writes the header of a simple reply.
func encodeReply(b *[replyLen]byte, errno uint32, handle uint64) {
	binary.BigEndian.PutUint32(b[0:], protocol.TRANSMISSION_MAGIC_REPLY)
	binary.BigEndian.PutUint32(b[4:], errno)
	binary.BigEndian.PutUint64(b[8:], handle)
}
