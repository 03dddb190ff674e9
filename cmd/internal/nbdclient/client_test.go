package nbdclient

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/pojntfx/go-nbd/pkg/protocol"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server plays its part on the one connection that it accepts.
func server(t *testing.T, play func(c net.Conn)) (address string) {
	t.Helper()
	address = filepath.Join(t.TempDir(), "s")
	ln, err := net.Listen("unix", address)
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		play(c)
	}()
	t.Cleanup(func() {
		ln.Close()
		<-over
	})
	return address
}

func answer(kind uint32, data []byte) []byte {
	b := binary.BigEndian.AppendUint64(nil, protocol.NEGOTIATION_MAGIC_REPLY)
	b = binary.BigEndian.AppendUint32(b, protocol.NEGOTIATION_ID_OPTION_GO)
	b = binary.BigEndian.AppendUint32(b, kind)
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	return append(b, data...)
}

// hello is the server's side of a handshake for the export "disk", up to the given answers.
func hello(t *testing.T, c net.Conn, answers ...[]byte) {
	b := binary.BigEndian.AppendUint64(nil, protocol.NEGOTIATION_MAGIC_OLDSTYLE)
	b = binary.BigEndian.AppendUint64(b, protocol.NEGOTIATION_MAGIC_OPTION)
	c.Write(append(b, 0, 3))
	var got [4 + 16 + 4 + 4 + 4]byte
	if _, err := io.ReadFull(c, got[:]); err != nil {
		t.Error(err)
	}
	if name := got[24:28]; string(name) != "disk" {
		t.Errorf("asked for %q", name)
	}
	for _, a := range answers {
		c.Write(a)
	}
}

var export = []byte{0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0x01, 0x0d}

func reply(errno uint32, handle uint64, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, protocol.TRANSMISSION_MAGIC_REPLY)
	b = binary.BigEndian.AppendUint32(b, errno)
	b = binary.BigEndian.AppendUint64(b, handle)
	return append(b, data...)
}

func request(t *testing.T, c net.Conn) (typ uint16, handle, off uint64, n uint32) {
	var h [requestLen]byte
	if _, err := io.ReadFull(c, h[:]); err != nil {
		t.Error(err)
	}
	return binary.BigEndian.Uint16(h[6:]), binary.BigEndian.Uint64(h[8:]), binary.BigEndian.Uint64(h[16:]), binary.BigEndian.Uint32(h[24:])
}

func connected(t *testing.T, play func(c net.Conn)) *Client {
	t.Helper()
	c, err := Dial("unix", server(t, func(c net.Conn) {
		hello(t, c, answer(protocol.NEGOTIATION_TYPE_REPLY_INFO, export), answer(protocol.NEGOTIATION_TYPE_REPLY_ACK, nil))
		play(c)
	}), "disk")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRequests(t *testing.T) {
	want := bytes.Repeat([]byte{7}, 512)
	c := connected(t, func(c net.Conn) {
		typ, handle, off, n := request(t, c)
		if typ != protocol.TRANSMISSION_TYPE_REQUEST_READ || off != 4096 || n != 512 {
			t.Errorf("READ: got type %d, %d bytes at %d", typ, n, off)
		}
		c.Write(reply(0, handle, want))
		_, handle, _, n = request(t, c)
		io.CopyN(io.Discard, c, int64(n))
		c.Write(reply(uint32(syscall.ENOSPC), handle, nil))
		_, handle, _, _ = request(t, c)
		c.Write(reply(0, handle, nil))
		if typ, _, _, _ := request(t, c); typ != protocol.TRANSMISSION_TYPE_REQUEST_DISC {
			t.Errorf("the last request: got %d, want DISC", typ)
		}
	})
	if e := c.Export(); e.Size != 65536 || e.Flags != 0x10d {
		t.Errorf("export: got %+v", e)
	}
	got := make([]byte, 512)
	if _, err := c.ReadAt(got, 4096); err != nil || !bytes.Equal(got, want) {
		t.Errorf("READ: got %v, %v", got[:8], err)
	}
	if _, err := c.WriteAt(want, 0); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("WRITE: got %v, want %v", err, syscall.ENOSPC)
	}
	if err := c.Flush(); err != nil {
		t.Errorf("FLUSH: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := c.Flush(); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: got %v", err)
	}
}

// TestBrokenConnection fails whoever waits, and everybody after them.
func TestBrokenConnection(t *testing.T) {
	for name, last := range map[string][]byte{
		"end":                nil,
		"a piece of a reply": reply(0, 1, nil)[:7],
		"no payload":         reply(0, 1, make([]byte, 100)),
		"bad magic":          make([]byte, replyLen),
		"unknown handle":     reply(0, 99, nil),
	} {
		t.Run(name, func(t *testing.T) {
			c := connected(t, func(c net.Conn) {
				request(t, c)
				c.Write(last)
			})
			if _, err := c.ReadAt(make([]byte, 512), 0); err == nil {
				t.Error("the READ succeeded")
			}
			if err := c.Flush(); err == nil {
				t.Error("the FLUSH after it succeeded")
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestHandshakeFails(t *testing.T) {
	for name, play := range map[string]func(c net.Conn){
		"nothing":        func(net.Conn) {},
		"other protocol": func(c net.Conn) { c.Write([]byte("220 mail.example.org ESMTP\r\n")) },
		"refused": func(c net.Conn) {
			hello(t, c, answer(protocol.NEGOTIATION_TYPE_REPLY_ERR_UNKNOWN, []byte("no such export")))
		},
		"bad magic": func(c net.Conn) { hello(t, c, make([]byte, optionReplyLen)) },
		"too long": func(c net.Conn) {
			hello(t, c, answer(protocol.NEGOTIATION_TYPE_REPLY_INFO, make([]byte, maxReplyData+1)))
		},
		"no end":          func(c net.Conn) { hello(t, c, answer(protocol.NEGOTIATION_TYPE_REPLY_INFO, export)) },
		"a piece of info": func(c net.Conn) { hello(t, c, answer(protocol.NEGOTIATION_TYPE_REPLY_INFO, []byte{0})) },
	} {
		t.Run(name, func(t *testing.T) {
			if c, err := Dial("unix", server(t, play), "disk"); err == nil {
				c.Close()
				t.Error("it succeeded")
			}
		})
	}
	if _, err := Dial("unix", filepath.Join(t.TempDir(), "none"), ""); err == nil {
		t.Error("connected to nothing")
	}
}
