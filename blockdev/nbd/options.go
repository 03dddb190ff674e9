package nbd

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/pojntfx/go-nbd/pkg/protocol"
)

// answers has the options that are understood. The others, STARTTLS and structured replies among them, are not supported.
var answers = map[uint32]func(h *handshake, data []byte) error{
	optExportName:                        (*handshake).exportName,
	protocol.NEGOTIATION_ID_OPTION_ABORT: (*handshake).abort,
	protocol.NEGOTIATION_ID_OPTION_LIST:  (*handshake).list,
	protocol.NEGOTIATION_ID_OPTION_INFO: func(h *handshake, data []byte) error {
		return h.info(protocol.NEGOTIATION_ID_OPTION_INFO, data)
	},
	protocol.NEGOTIATION_ID_OPTION_GO: func(h *handshake, data []byte) error {
		return h.info(protocol.NEGOTIATION_ID_OPTION_GO, data)
	},
}

// exportName is the old way to choose, which has no answer but to close.
func (h *handshake) exportName(data []byte) error {
	v := h.server.find(string(data))
	if v == nil {
		return fmt.Errorf("no export is named %.64q", data)
	}
	if !h.choose(v) {
		return errors.New("the export has too many clients, or the server is closing")
	}
	i := v.dev.Info()
	h.out = binary.BigEndian.AppendUint64(h.out, i.Size)
	h.out = binary.BigEndian.AppendUint16(h.out, transmissionFlags(i))
	if !h.noZeroes {
		h.out = append(h.out, make([]byte, exportNameZeros)...)
	}
	return nil
}

func (h *handshake) choose(v *volume) bool {
	if !h.server.enter(v) {
		return false
	}
	h.volume, h.over = v, true
	return true
}

// abort ends the handshake. The client may be gone already.
func (h *handshake) abort([]byte) error {
	h.over = true
	h.reply(protocol.NEGOTIATION_ID_OPTION_ABORT, protocol.NEGOTIATION_TYPE_REPLY_ACK, "")
	_, _ = h.conn.Write(h.out)
	h.out = h.out[:0]
	return nil
}

func (h *handshake) list(data []byte) error {
	const id = protocol.NEGOTIATION_ID_OPTION_LIST
	if len(data) != 0 {
		h.reply(id, repErrInvalid, "LIST has no data")
		return nil
	}
	for _, v := range h.server.volumes {
		b := binary.BigEndian.AppendUint32(nil, uint32(len(v.export.Name)))
		h.reply(id, protocol.NEGOTIATION_TYPE_REPLY_SERVER, string(b)+v.export.Name+v.export.Description)
	}
	h.reply(id, protocol.NEGOTIATION_TYPE_REPLY_ACK, "")
	return nil
}

// info answers INFO and GO, which differ only in what follows.
func (h *handshake) info(id uint32, data []byte) error {
	name, wanted, ok := parseInfo(data)
	if !ok {
		h.reply(id, repErrInvalid, "the option's lengths do not agree")
		return nil
	}
	v := h.server.find(name)
	if v == nil {
		h.reply(id, protocol.NEGOTIATION_TYPE_REPLY_ERR_UNKNOWN, "there is no export of that name")
		return nil
	}
	if id == protocol.NEGOTIATION_ID_OPTION_GO && !h.choose(v) {
		h.reply(id, repErrShutdown, "the export has too many clients, or the server is closing")
		return nil
	}
	h.describe(id, v, wanted)
	h.reply(id, protocol.NEGOTIATION_TYPE_REPLY_ACK, "")
	return nil
}

// describe tells of an export: its size and flags and block sizes always, its name and description if they are wanted.
func (h *handshake) describe(id uint32, v *volume, wanted []byte) {
	i := v.dev.Info()
	b := binary.BigEndian.AppendUint16(nil, protocol.NEGOTIATION_TYPE_INFO_EXPORT)
	b = binary.BigEndian.AppendUint64(b, i.Size)
	b = binary.BigEndian.AppendUint16(b, transmissionFlags(i))
	h.reply(id, protocol.NEGOTIATION_TYPE_REPLY_INFO, string(b))

	for _, text := range [...]struct {
		kind uint16
		text string
	}{
		{protocol.NEGOTIATION_TYPE_INFO_NAME, v.export.Name},
		{protocol.NEGOTIATION_TYPE_INFO_DESCRIPTION, v.export.Description},
	} {
		if wants(wanted, text.kind) {
			b = binary.BigEndian.AppendUint16(b[:0], text.kind)
			h.reply(id, protocol.NEGOTIATION_TYPE_REPLY_INFO, string(b)+text.text)
		}
	}

	s := blockSizes(i, h.server.cfg.MaxRequest)
	b = binary.BigEndian.AppendUint16(b[:0], s.Type)
	b = binary.BigEndian.AppendUint32(b, s.MinimumBlockSize)
	b = binary.BigEndian.AppendUint32(b, s.PreferredBlockSize)
	b = binary.BigEndian.AppendUint32(b, s.MaximumBlockSize)
	h.reply(id, protocol.NEGOTIATION_TYPE_REPLY_INFO, string(b))
}

// parseInfo takes the data of INFO or GO apart: the length of a name, the name, a count, and so many kinds of two bytes.
func parseInfo(data []byte) (name string, wanted []byte, ok bool) {
	if len(data) < 6 {
		return "", nil, false
	}
	n := binary.BigEndian.Uint32(data)
	data = data[4:]
	if n > maxName || int(n) > len(data)-2 {
		return "", nil, false
	}
	name, data = string(data[:n]), data[n:]
	count := int(binary.BigEndian.Uint16(data))
	wanted = data[2:]
	return name, wanted, len(wanted) == 2*count
}

func wants(wanted []byte, kind uint16) bool {
	for ; len(wanted) >= 2; wanted = wanted[2:] {
		if binary.BigEndian.Uint16(wanted) == kind {
			return true
		}
	}
	return false
}
