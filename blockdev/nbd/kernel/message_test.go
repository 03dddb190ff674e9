package kernel

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
)

// The bytes are those of a little-endian machine, as all are that hawser is built for. An attribute is its length and type, 16 bits
// each, and its value, padded to 4 bytes; 0x8000 in the type says nested.
func TestMessages(t *testing.T) {
	spec := specFor("lun 1")
	chosen := spec
	chosen.Index = 3
	for _, tt := range []struct {
		name string
		got  genetlink.Message
		want string
	}{
		{"connect", connectMessage(spec, 7), `
			01 01 0000
			0c00 0200  0000100000000000      SIZE_BYTES 1 MiB
			0c00 0300  0002000000000000      BLOCK_SIZE_BYTES 512
			0c00 0500  6d01000000000000      SERVER_FLAGS
			1000 0780                        SOCKETS
			  0c00 0180                        SOCK_ITEM
			    0800 0100  07000000              SOCK_FD
			0c00 0800  1e00000000000000      DEAD_CONN_TIMEOUT
			0a00 0a00  6c756e203100 0000     BACKEND_IDENTIFIER "lun 1"`},
		{"connect chosen", connectMessage(chosen, 7), `
			01 01 0000
			0800 0100  03000000              INDEX
			0c00 0200  0000100000000000
			0c00 0300  0002000000000000
			0c00 0500  6d01000000000000
			1000 0780  0c00 0180  0800 0100  07000000
			0c00 0800  1e00000000000000
			0a00 0a00  6c756e203100 0000`},
		{"reconnect", reconnectMessage(3, spec, 8), `
			03 01 0000
			0800 0100  03000000
			1000 0780  0c00 0180  0800 0100  08000000
			0c00 0800  1e00000000000000
			0a00 0a00  6c756e203100 0000`},
		{"resize", resizeMessage(3, "lun 1", 1<<41), `
			03 01 0000
			0800 0100  03000000
			0c00 0200  0000000000020000
			0a00 0a00  6c756e203100 0000`},
		{"disconnect", disconnectMessage(3), `
			02 01 0000
			0800 0100  03000000`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := tt.got.MarshalBinary()
			must(t, err)
			if diff := cmp.Diff(digits(tt.want), hex.EncodeToString(b)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// digits are the hexadecimal ones before the comment of each line, which follows two blanks and begins with a capital.
func digits(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		code := strings.TrimSpace(line)
		if i := strings.IndexAny(code, "SBDI"); i >= 0 {
			code = code[:i]
		}
		b.WriteString(strings.ReplaceAll(code, " ", ""))
	}
	return b.String()
}

func TestDeadConnTimeoutIsRoundedUp(t *testing.T) {
	for d, want := range map[time.Duration]uint64{0: 0, 1: 1, time.Second: 1, time.Second + 1: 2, time.Hour: 3600} {
		if got := (Spec{DeadConnTimeout: d}).deadSeconds(); got != want {
			t.Errorf("%v: got %d s, want %d", d, got, want)
		}
	}
}

func TestConnectedIndex(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer []genetlink.Message
		want   int
		ok     bool
	}{
		{"good", connectedAs(5), 5, true},
		{"after another", append([]genetlink.Message{{}}, connectedAs(5)...), 5, true},
		{"none", nil, 0, false},
		{"no index", []genetlink.Message{{Header: genetlink.Header{Command: cmdConnect}}}, 0, false},
		{"short", []genetlink.Message{{Header: genetlink.Header{Command: cmdConnect}, Data: []byte{8, 0, 1, 0, 3, 0}}}, 0, false},
		{"an index of 16 bits", []genetlink.Message{message(cmdConnect, func(ae *netlink.AttributeEncoder) { ae.Uint16(attrIndex, 5) })}, 0, false},
	} {
		got, err := connectedIndex(tt.answer)
		if (err == nil) != tt.ok || got != tt.want {
			t.Errorf("%s: got %d, %v; want %d, %v", tt.name, got, err, tt.want, tt.ok)
		}
	}
}
