package nbd

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/blockdev/memdev"
	"github.com/pojntfx/go-nbd/pkg/protocol"
)

// canned is a connection whose peer has said everything in advance.
type canned struct {
	net.Conn // nil: what is not here is not used
	in       io.Reader
	out      int
}

func (c *canned) Read(b []byte) (int, error)    { return c.in.Read(b) }
func (c *canned) Write(b []byte) (int, error)   { c.out += len(b); return len(b), nil }
func (c *canned) SetDeadline(t time.Time) error { return nil }
func (c *canned) RemoteAddr() net.Addr          { return &net.UnixAddr{} }

func FuzzHandshake(f *testing.F) {
	option := func(id uint32, data []byte) []byte {
		b := binary.BigEndian.AppendUint64([]byte{0, 0, 0, 3}, protocol.NEGOTIATION_MAGIC_OPTION)
		b = binary.BigEndian.AppendUint32(b, id)
		return append(binary.BigEndian.AppendUint32(b, uint32(len(data))), data...)
	}
	for id := range uint32(12) {
		f.Add(option(id, nil))
		f.Add(option(id, infoData("disk", 1, 2, 3)))
		f.Add(append(option(id, infoData("x")), option(optGo, infoData(""))[4:]...))
	}
	s := newSteady(f, ram(memdev.Config{Size: 1 << 20}))
	v := s.server.volumes[0]
	before := v.clients
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &canned{in: bytes.NewReader(data)}
		got, err := s.server.handshake(c)
		if got != nil {
			if err != nil {
				t.Errorf("an export and %v", err)
			}
			s.server.leave(got)
		}
		if v.clients != before {
			t.Errorf("%d clients, want %d", v.clients, before)
		}
		if most := 18 + maxOptions*(5*optionReplyLen+2*maxName+100); c.out > most {
			t.Errorf("%d bytes of answers", c.out)
		}
	})
}

// FuzzTransmission sends any bytes and a half close. Each request that came whole has one answer of the right length, and in the
// end nothing is left.
func FuzzTransmission(f *testing.F) {
	const size = 64 << 10
	for kind := range uint16(8) {
		for _, flags := range []uint16{0, 1, 2, 16} {
			b := append(request(kind, flags, 1, 512, 1024), make([]byte, 1024)...)
			f.Add(append(b, request(cmdRead, 0, 2, 0, size)...))
			f.Add(append(request(cmdRead, 0, 2, 1, size), b...))
		}
	}
	var dev blockdev.Device
	limits := blockdev.Limits{MaxTransfer: 20 << 10, MaxTrim: 4 << 10}
	s := newSteady(f, func(l *loop.Loop) blockdev.Device {
		dev = memdev.New(l, memdev.Config{Size: size, Limits: limits})
		return dev
	})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 8<<10 {
			t.Skip("longer ones take long and show nothing else")
		}
		want, inStep := answerLen(data, dev.Info())
		got := s.talk(t, data)
		if got != want && (inStep || got > want) {
			t.Errorf("%d bytes of replies, want %d", got, want)
		}
		if held := s.arena.Chunks() - s.arena.Free(); held != 0 {
			t.Errorf("%d chunks are held", held)
		}
	})
}

// answerLen is the bytes that the requests in data are answered with. It reports false if they end with a bad header.
func answerLen(data []byte, info *blockdev.Info) (n int, inStep bool) {
	for len(data) >= requestLen {
		h := decodeRequest(data)
		data = data[requestLen:]
		switch {
		case h.RequestMagic != protocol.TRANSMISSION_MAGIC_REQUEST:
			return n, false
		case h.Type == cmdDisc:
			return n, true
		case h.Type == cmdWrite && uint64(h.Length) > uint64(len(data)):
			return n, true
		case h.Type == cmdWrite:
			data = data[h.Length:]
		}
		n += replyLen
		if h.Type == cmdRead && check(&h, info, maxRequest) == 0 {
			n += int(h.Length)
		}
	}
	return n, true
}

// talk is a whole client: it says data and nothing more, and counts what it hears until the end.
func (s *steady) talk(t *testing.T, data []byte) (heard int) {
	fds, nc := socketPair(t)
	must(t, s.server.begin(nc))
	s.server.endShaking(nc)
	s.server.enter(s.server.volumes[0])
	s.server.adopt(nc, s.server.volumes[0])
	if _, err := syscall.Write(fds, data); err != nil {
		t.Fatal(err)
	}
	must(t, syscall.Shutdown(fds, syscall.SHUT_WR))
	for {
		must(t, s.loop.Turn(false))
		n, err := syscall.Read(fds, s.in)
		if n == 0 || err != nil && err != syscall.EAGAIN {
			break
		}
		heard += max(n, 0)
	}
	must(t, syscall.Close(fds))
	for len(s.server.conns) > 1 { // the bench's own is one
		must(t, s.loop.Turn(false))
	}
	return heard
}
