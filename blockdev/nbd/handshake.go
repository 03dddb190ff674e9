package nbd

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/pojntfx/go-nbd/pkg/protocol"
)

// Bounds of a handshake.
const (
	maxOptions    = 32      // options before the client must have chosen
	maxOptionData = 8 << 10 // bytes of an option that is understood
	maxOptionSkip = 1 << 20 // bytes of one that is not
)

// handshake is one client's newstyle negotiation. It reads exactly what belongs to it, so that the transmission phase begins
// with the socket's next byte.
type handshake struct {
	server   *Server
	conn     net.Conn
	noZeroes bool
	volume   *volume // the client's choice, with a place taken; nil: none yet
	over     bool
	data     [maxOptionData]byte
	out      []byte
}

// handshake returns the export that the client chose, or nil if it left in order.
func (s *Server) handshake(c net.Conn) (*volume, error) {
	h := &handshake{server: s, conn: c}
	if err := h.run(); err != nil {
		if h.volume != nil {
			s.leave(h.volume)
		}
		return nil, fmt.Errorf("nbd: handshake with %s: %w", c.RemoteAddr(), err)
	}
	return h.volume, nil
}

func (h *handshake) run() error {
	s := h.server
	if err := h.conn.SetDeadline(s.loop.Env().Time().Add(s.cfg.HandshakeTimeout)); err != nil {
		return err
	}
	if err := h.greet(); err != nil {
		return err
	}
	for range maxOptions {
		if err := h.option(); err != nil {
			return err
		}
		if h.over {
			return h.conn.SetDeadline(time.Time{})
		}
	}
	return fmt.Errorf("the client chose no export in %d options", maxOptions)
}

// greet sends what we are and reads what the client understands.
func (h *handshake) greet() error {
	b := binary.BigEndian.AppendUint64(nil, protocol.NEGOTIATION_MAGIC_OLDSTYLE)
	b = binary.BigEndian.AppendUint64(b, protocol.NEGOTIATION_MAGIC_OPTION)
	b = binary.BigEndian.AppendUint16(b, protocol.NEGOTIATION_HANDSHAKE_FLAG_FIXED_NEWSTYLE|flagNoZeroes)
	if _, err := h.conn.Write(b); err != nil {
		return err
	}
	var answer [4]byte
	if _, err := io.ReadFull(h.conn, answer[:]); err != nil {
		return err
	}
	flags := binary.BigEndian.Uint32(answer[:])
	if known := uint32(protocol.NEGOTIATION_HANDSHAKE_FLAG_FIXED_NEWSTYLE | flagNoZeroes); flags&^known != 0 {
		return fmt.Errorf("the client set unknown flags %#x", flags)
	}
	h.noZeroes = flags&flagNoZeroes != 0
	return nil
}

// option reads one option and answers it.
func (h *handshake) option() error {
	var b [optionLen]byte
	if _, err := io.ReadFull(h.conn, b[:]); err != nil {
		return err
	}
	if magic := binary.BigEndian.Uint64(b[:]); magic != protocol.NEGOTIATION_MAGIC_OPTION {
		return fmt.Errorf("an option began with %#x", magic)
	}
	id, length := binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:])
	answer := answers[id]
	if answer == nil || length > maxOptionData {
		return h.skip(id, length)
	}
	data := h.data[:length]
	if _, err := io.ReadFull(h.conn, data); err != nil {
		return err
	}
	h.out = h.out[:0]
	err := answer(h, data)
	if len(h.out) > 0 {
		_, werr := h.conn.Write(h.out)
		err = errors.Join(err, werr)
	}
	return err
}

// skip reads over an option that is unknown or too long, and says so.
func (h *handshake) skip(id, length uint32) error {
	if length > maxOptionSkip || id == optExportName {
		return fmt.Errorf("option %d has %d bytes", id, length)
	}
	if _, err := io.CopyN(io.Discard, h.conn, int64(length)); err != nil {
		return err
	}
	h.out = h.out[:0]
	if answers[id] != nil {
		h.reply(id, repErrTooBig, "the option is too long")
	} else {
		h.reply(id, protocol.NEGOTIATION_TYPE_REPLY_ERR_UNSUPPORTED, "the option is not supported")
	}
	_, err := h.conn.Write(h.out)
	return err
}

// reply appends the answer to an option. An error's data is a text for people.
func (h *handshake) reply(option, kind uint32, data string) {
	h.out = binary.BigEndian.AppendUint64(h.out, protocol.NEGOTIATION_MAGIC_REPLY)
	h.out = binary.BigEndian.AppendUint32(h.out, option)
	h.out = binary.BigEndian.AppendUint32(h.out, kind)
	h.out = binary.BigEndian.AppendUint32(h.out, uint32(len(data)))
	h.out = append(h.out, data...)
}
