package nbdclient

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/pojntfx/go-nbd/pkg/protocol"
)

// Export is what a server tells of an export.
type Export struct {
	Size         uint64 // bytes
	Flags        uint16 // transmission flags
	MinimumBlock uint32 // bytes; 0 if the server did not say
	MaximumBlock uint32 // bytes; 0 if the server did not say
}

const (
	flagNoZeroes     = 1 << 1
	greetingLen      = 18
	optionReplyLen   = 20
	maxReplyData     = 64 << 10
	handshakeTimeout = 10 * time.Second
)

// handshake chooses the export by the option GO.
func handshake(c net.Conn, name string) (e Export, err error) {
	if err := c.SetDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return e, err
	}
	if err := greet(c); err != nil {
		return e, fmt.Errorf("handshake: %w", err)
	}
	if err := choose(c, name); err != nil {
		return e, fmt.Errorf("handshake: %w", err)
	}
	for over := false; !over; {
		if over, err = e.learn(c); err != nil {
			return e, fmt.Errorf("handshake: %w", err)
		}
	}
	return e, c.SetDeadline(time.Time{})
}

func greet(c net.Conn) error {
	var b [greetingLen]byte
	if _, err := io.ReadFull(c, b[:]); err != nil {
		return err
	}
	if binary.BigEndian.Uint64(b[:]) != protocol.NEGOTIATION_MAGIC_OLDSTYLE || binary.BigEndian.Uint64(b[8:]) != protocol.NEGOTIATION_MAGIC_OPTION {
		return fmt.Errorf("no newstyle NBD server: it began with %x", b[:16])
	}
	flags := uint32(binary.BigEndian.Uint16(b[16:])) & (uint32(protocol.NEGOTIATION_HANDSHAKE_FLAG_FIXED_NEWSTYLE) | flagNoZeroes)
	_, err := c.Write(binary.BigEndian.AppendUint32(nil, flags))
	return err
}

// choose sends the option GO: the export's name, and one thing that we want to know besides.
func choose(c net.Conn, name string) error {
	data := binary.BigEndian.AppendUint32(nil, uint32(len(name)))
	data = append(data, name...)
	data = binary.BigEndian.AppendUint16(data, 1)
	data = binary.BigEndian.AppendUint16(data, protocol.NEGOTIATION_TYPE_INFO_BLOCKSIZE)
	b := binary.BigEndian.AppendUint64(nil, protocol.NEGOTIATION_MAGIC_OPTION)
	b = binary.BigEndian.AppendUint32(b, protocol.NEGOTIATION_ID_OPTION_GO)
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	_, err := c.Write(append(b, data...))
	return err
}

// learn reads one answer. The acknowledgement is the last.
func (e *Export) learn(c net.Conn) (over bool, err error) {
	var h [optionReplyLen]byte
	if _, err := io.ReadFull(c, h[:]); err != nil {
		return false, err
	}
	if magic := binary.BigEndian.Uint64(h[:]); magic != protocol.NEGOTIATION_MAGIC_REPLY {
		return false, fmt.Errorf("an answer began with %#x", magic)
	}
	kind, n := binary.BigEndian.Uint32(h[12:]), binary.BigEndian.Uint32(h[16:])
	if n > maxReplyData {
		return false, fmt.Errorf("an answer has %d bytes", n)
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(c, data); err != nil {
		return false, err
	}
	switch kind {
	case protocol.NEGOTIATION_TYPE_REPLY_ACK:
		return true, nil
	case protocol.NEGOTIATION_TYPE_REPLY_INFO:
		e.note(data)
		return false, nil
	}
	return false, fmt.Errorf("the server refused the export: %#x %q", kind, data)
}

// note takes what is known of an information; the rest is passed over.
func (e *Export) note(b []byte) {
	if len(b) < 2 {
		return
	}
	kind, b := binary.BigEndian.Uint16(b), b[2:]
	switch {
	case kind == protocol.NEGOTIATION_TYPE_INFO_EXPORT && len(b) == 10:
		e.Size, e.Flags = binary.BigEndian.Uint64(b), binary.BigEndian.Uint16(b[8:])
	case kind == protocol.NEGOTIATION_TYPE_INFO_BLOCKSIZE && len(b) == 12:
		e.MinimumBlock, e.MaximumBlock = binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[8:])
	}
}
