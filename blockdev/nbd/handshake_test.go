package nbd

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/memdev"
	"github.com/pojntfx/go-nbd/pkg/protocol"
)

const (
	optStartTLS        = 5
	optStructuredReply = 8

	repErrUnsup   = protocol.NEGOTIATION_TYPE_REPLY_ERR_UNSUPPORTED
	repErrUnknown = protocol.NEGOTIATION_TYPE_REPLY_ERR_UNKNOWN
	repAck        = protocol.NEGOTIATION_TYPE_REPLY_ACK
	repInfo       = protocol.NEGOTIATION_TYPE_REPLY_INFO
	repServer     = protocol.NEGOTIATION_TYPE_REPLY_SERVER

	optAbort = protocol.NEGOTIATION_ID_OPTION_ABORT
	optList  = protocol.NEGOTIATION_ID_OPTION_LIST
	optInfo  = protocol.NEGOTIATION_ID_OPTION_INFO
	optGo    = protocol.NEGOTIATION_ID_OPTION_GO
)

// optionReply is one answer of the server's.
type optionReply struct {
	Kind uint32
	Data string
}

func (c *client) optionReply(id uint32) optionReply {
	c.t.Helper()
	h := c.recv(optionReplyLen)
	if binary.BigEndian.Uint64(h) != protocol.NEGOTIATION_MAGIC_REPLY || binary.BigEndian.Uint32(h[8:]) != id {
		c.t.Fatalf("reply % x to option %d", h, id)
	}
	return optionReply{binary.BigEndian.Uint32(h[12:]), string(c.recv(int(binary.BigEndian.Uint32(h[16:]))))}
}

// final reads replies up to the last one.
func (c *client) final(id uint32) (all []optionReply) {
	c.t.Helper()
	for {
		r := c.optionReply(id)
		all = append(all, r)
		if r.Kind == repAck || r.Kind&(1<<31) != 0 {
			return all
		}
	}
}

func infoData(name string, kinds ...uint16) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(name)))
	b = append(b, name...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(kinds)))
	for _, k := range kinds {
		b = binary.BigEndian.AppendUint16(b, k)
	}
	return b
}

func TestOptions(t *testing.T) {
	b := newBench(t, ram(memdev.Config{Size: 1 << 20, BlockSize: 4096}), Config{})
	export := optionReply{repInfo, "\x00\x00" + "\x00\x00\x00\x00\x00\x10\x00\x00" + "\x09\x6d"}
	sizes := optionReply{repInfo, "\x00\x03" + "\x00\x00\x10\x00" + "\x00\x00\x10\x00" + "\x02\x00\x00\x00"}
	for _, tt := range []struct {
		name string
		id   uint32
		data []byte
		want []optionReply // an error's text is not compared
	}{
		{"info", optInfo, infoData("disk"), []optionReply{export, sizes, {repAck, ""}}},
		{"info, the default", optInfo, infoData(""), []optionReply{export, sizes, {repAck, ""}}},
		{"info, all", optInfo, infoData("", 1, 2, 3, 99), []optionReply{
			export, {repInfo, "\x00\x01disk"}, {repInfo, "\x00\x02a disk"}, sizes, {repAck, ""},
		}},
		{"info, unknown", optInfo, infoData("other"), []optionReply{{Kind: repErrUnknown}}},
		{"info, empty", optInfo, nil, []optionReply{{Kind: repErrInvalid}}},
		{"info, name too long for the data", optInfo, []byte{0, 0, 0, 9, 'd', 0, 0}, []optionReply{{Kind: repErrInvalid}}},
		{"info, length overflows", optInfo, []byte{255, 255, 255, 255, 0, 0, 0}, []optionReply{{Kind: repErrInvalid}}},
		{"info, kinds missing", optInfo, []byte{0, 0, 0, 0, 0, 2, 0, 1}, []optionReply{{Kind: repErrInvalid}}},
		{"info, more than kinds", optInfo, append(infoData("disk", 1), 0), []optionReply{{Kind: repErrInvalid}}},
		{"info, longest name", optInfo, infoData(strings.Repeat("x", maxName)), []optionReply{{Kind: repErrUnknown}}},
		{"info, too long a name", optInfo, infoData(strings.Repeat("x", maxName+1)), []optionReply{{Kind: repErrInvalid}}},
		{"info, too long", optInfo, make([]byte, maxOptionData+1), []optionReply{{Kind: repErrTooBig}}},
		{"list", optList, nil, []optionReply{{repServer, "\x00\x00\x00\x04diska disk"}, {repAck, ""}}},
		{"list with data", optList, []byte("x"), []optionReply{{Kind: repErrInvalid}}},
		{"starttls", optStartTLS, nil, []optionReply{{Kind: repErrUnsup}}},
		{"structured replies", optStructuredReply, nil, []optionReply{{Kind: repErrUnsup}}},
		{"meta context", 10, make([]byte, 300), []optionReply{{Kind: repErrUnsup}}},
		{"unknown, long", 0xdead, make([]byte, maxOptionSkip), []optionReply{{Kind: repErrUnsup}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := b.dial()
			c.t = t
			c.greet(1)
			c.option(tt.id, tt.data)
			got := c.final(tt.id)
			for i := range got {
				if got[i].Kind&(1<<31) != 0 {
					got[i].Data = ""
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			c.option(optGo, infoData("disk")) // the negotiation goes on
			c.final(optGo)
			c.read(0, 4096)
			c.leave()
		})
	}
}

func TestAbort(t *testing.T) {
	b := newBench(t, ram(memdev.Config{Size: 1 << 20}), Config{})
	c := b.dial()
	c.greet(3)
	c.option(optAbort, nil)
	if got := c.final(optAbort); got[0].Kind != repAck {
		t.Errorf("got %v, want an ACK", got)
	}
	c.ended()
}

func TestExportNamePadding(t *testing.T) {
	b := newBench(t, ram(memdev.Config{Size: 1 << 20}), Config{})
	c := b.dial()
	c.greet(1) // without NO_ZEROES
	c.option(optExportName, nil)
	if got := c.recv(10 + exportNameZeros); !bytes.Equal(got[10:], make([]byte, exportNameZeros)) {
		t.Errorf("padding % x", got[10:])
	}
	c.flush()
}

// What cannot be answered ends the connection.
func TestHandshakeEnds(t *testing.T) {
	b := newBench(t, ram(memdev.Config{Size: 1 << 20}), Config{})
	for name, talk := range map[string]func(c *client){
		"unknown flags":        func(c *client) { c.greet(4) },
		"no option magic":      func(c *client) { c.greet(3); c.send(make([]byte, optionLen)) },
		"unknown name":         func(c *client) { c.greet(3); c.option(optExportName, []byte("x")) },
		"a huge name":          func(c *client) { c.greet(3); c.optionHeader(optExportName, 1<<31) },
		"a huge option":        func(c *client) { c.greet(3); c.optionHeader(99, maxOptionSkip+1) },
		"the client goes":      func(c *client) { c.greet(3); c.closeWrite() },
		"it goes in an option": func(c *client) { c.greet(3); c.optionHeader(optGo, 100); c.closeWrite() },
		"many options": func(c *client) {
			c.greet(3)
			for range maxOptions {
				c.option(optList, nil)
				c.final(optList)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := b.dial()
			c.t = t
			talk(c)
			c.ended()
		})
	}
}

func (c *client) optionHeader(id, length uint32) {
	b := binary.BigEndian.AppendUint64(nil, protocol.NEGOTIATION_MAGIC_OPTION)
	b = binary.BigEndian.AppendUint32(b, id)
	c.send(binary.BigEndian.AppendUint32(b, length))
}

func (c *client) closeWrite() {
	if err := c.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		c.t.Error(err)
	}
}

func TestTooManyClients(t *testing.T) {
	b := newBench(t, ram(memdev.Config{Size: 1 << 20}), Config{Connections: 1})
	first := b.attach()
	c := b.dial()
	c.greet(3)
	c.option(optGo, infoData("disk"))
	if got := c.final(optGo); got[0].Kind != repErrShutdown {
		t.Errorf("got %v, want ERR_SHUTDOWN", got)
	}
	first.send(request(cmdDisc, 0, 0, 0, 0))
	first.ended()
	v := b.server.volumes[0]
	b.until(func() bool { // the place is given back as soon as the loop has closed
		b.server.mu.Lock()
		defer b.server.mu.Unlock()
		return v.clients == 0
	})
	c.option(optGo, infoData("disk"))
	if got := c.final(optGo); got[len(got)-1].Kind != repAck {
		t.Errorf("got %v, want ACK", got)
	}
	c.flush()
}

// HandshakeTimeout is on the clock, so it is only shown to exist.
func TestHandshakeTimeout(t *testing.T) {
	b := newBench(t, ram(memdev.Config{Size: 1 << 20}), Config{HandshakeTimeout: 1})
	c := b.dial()
	if _, err := c.Read(make([]byte, 64)); err != nil && !isReset(err) && err.Error() != "EOF" {
		t.Error(err)
	}
	_, _ = c.Write(make([]byte, 4)) // too late, whichever way it is told
	for {
		if _, err := c.Read(make([]byte, 64)); err != nil {
			break
		}
	}
}

func TestTransmissionFlags(t *testing.T) {
	const always = 1 | flagSendFlush | flagSendFUA | flagWriteZeroes | 1<<8
	for _, tt := range []struct {
		info blockdev.Info
		want uint16
	}{
		{blockdev.Info{}, always},
		{blockdev.Info{ReadOnly: true}, always | flagReadOnly},
		{blockdev.Info{Trim: true}, always | flagSendTrim},
		{blockdev.Info{FastZero: true}, always | flagFastZero},
		{blockdev.Info{Rotational: true}, always | flagRotational},
	} {
		if got := transmissionFlags(&tt.info); got != tt.want {
			t.Errorf("%+v: got %#x, want %#x", tt.info, got, tt.want)
		}
	}
}

func TestBlockSizes(t *testing.T) {
	for _, tt := range []struct {
		block   uint32
		optimal uint64
		want    [3]uint32
	}{
		{512, 0, [3]uint32{512, 4096, 32 << 20}},
		{4096, 0, [3]uint32{4096, 4096, 32 << 20}},
		{65536, 0, [3]uint32{65536, 65536, 32 << 20}},
		{512, 1 << 20, [3]uint32{512, 1 << 20, 32 << 20}},
		{512, 3 << 19, [3]uint32{512, 1 << 20, 32 << 20}},
		{512, 1 << 40, [3]uint32{512, 4096, 32 << 20}},
	} {
		i := blockdev.Info{BlockSize: tt.block, Limits: blockdev.Limits{OptimalTransfer: tt.optimal}}
		s := blockSizes(&i, 32<<20)
		if got := [3]uint32{s.MinimumBlockSize, s.PreferredBlockSize, s.MaximumBlockSize}; got != tt.want {
			t.Errorf("%+v: got %v, want %v", tt, got, tt.want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	b := newBench(t, ram(memdev.Config{Size: 1 << 20}), Config{})
	dev := b.server.volumes[0].dev
	for name, tt := range map[string]struct {
		exports []Export
		cfg     Config
	}{
		"nothing":          {nil, Config{}},
		"no device":        {[]Export{{Name: "a"}}, Config{}},
		"a long name":      {[]Export{{Name: strings.Repeat("x", maxName+1), Device: dev}}, Config{}},
		"one name twice":   {[]Export{{Device: dev}, {Device: dev}}, Config{}},
		"an odd maximum":   {[]Export{{Device: dev}}, Config{MaxRequest: 1000}},
		"a huge maximum":   {[]Export{{Device: dev}}, Config{MaxRequest: 64 << 20, Budget: 64 << 20}},
		"a small budget":   {[]Export{{Device: dev}}, Config{MaxRequest: 1 << 20, Budget: 1 << 19}},
		"a negative depth": {[]Export{{Device: dev}}, Config{Depth: -1}},
		"a small arena":    {[]Export{{Device: dev}}, Config{Connections: 10000}},
	} {
		if _, err := New(b.loop, b.arena, tt.exports, tt.cfg); err == nil {
			t.Errorf("%s: accepted", name)
		} else {
			t.Log(fmt.Sprint(name, ": ", err))
		}
	}
}
