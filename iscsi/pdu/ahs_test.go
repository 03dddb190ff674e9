package pdu

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAHSGolden(t *testing.T) {
	for _, tt := range []struct {
		name string
		ahs  AHS
		want string
	}{
		{"none", AHS{}, ""},
		{"extended CDB", AHS{ExtendedCDB: []byte{0xaa, 0xbb, 0xcc, 0xdd}}, "0005 01 00 aabbccdd"},
		{"extended CDB with padding", AHS{ExtendedCDB: []byte{0xaa}}, "0002 01 00 aa000000"},
		{"bidirectional", AHS{Bidi: true, BidiReadLength: 512}, "0005 02 00 00000200"},
		{"both", AHS{[]byte{1}, true, 0}, "0002 01 00 01000000 0005 02 00 00000000"},
	} {
		want := unhex(t, tt.want)
		if got := tt.ahs.Append(nil); !bytes.Equal(got, want) {
			t.Errorf("%s: got %x, want %x", tt.name, got, want)
		}
		var got AHS
		if err := got.Parse(want); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if diff := cmp.Diff(tt.ahs, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestAHSLongestCDB(t *testing.T) {
	want := AHS{ExtendedCDB: bytes.Repeat([]byte{7}, MaxCDBLen-16)}
	b := want.Append(nil)
	if len(b) != MaxAHSLen {
		t.Errorf("got %d bytes, want %d", len(b), MaxAHSLen)
	}
	var got AHS
	if err := got.Parse(b); err != nil || !bytes.Equal(got.ExtendedCDB, want.ExtendedCDB) {
		t.Errorf("got %d bytes of CDB, %v", len(got.ExtendedCDB), err)
	}
}

func TestAHSMalformed(t *testing.T) {
	for name, in := range map[string]string{
		"shorter than its header": "0005",
		"length 0":                "0000 01 00",
		"length beyond the end":   "0006 02 00 00000200 00",
		"length far beyond":       "ffff 01 00 00000000",
		"unknown type":            "0001 03 00",
		"reserved type":           "0001 00 00",
		"short bidi":              "0004 02 00 000000 00",
		"empty CDB":               "0001 01 00",
		"bidi twice":              "0005 02 00 00000000 0005 02 00 00000000",
		"CDB twice":               "0002 01 00 01000000 0002 01 00 01000000",
	} {
		t.Run(name, func(t *testing.T) {
			var got *FormatError
			if err := new(AHS).Parse(unhex(t, in)); !errors.As(err, &got) {
				t.Errorf("got %v, want a *FormatError", err)
			}
		})
	}
}

func TestAHSTruncated(t *testing.T) {
	b := (&AHS{ExtendedCDB: []byte("longer"), Bidi: true}).Append(nil)
	first := Pad(3 + 1 + len("longer"))
	for n := 1; n < len(b); n++ {
		if err := new(AHS).Parse(b[:n]); (err == nil) != (n == first) {
			t.Errorf("%d of %d bytes: got %v", n, len(b), err)
		}
	}
}

func TestParseAHS(t *testing.T) {
	b := AppendAHS(AppendAHS(nil, 5, []byte{1, 2}), 6, []byte{3})
	var types []uint8
	if err := ParseAHS(b, func(typ uint8, _ []byte) error { types = append(types, typ); return nil }); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(types, []byte{5, 6}) {
		t.Errorf("got types %v, want 5 and 6", types)
	}
	stop := errors.New("stop")
	calls := 0
	err := ParseAHS(b, func(typ uint8, data []byte) error {
		calls++
		if typ != 5 || !bytes.Equal(data, []byte{1, 2}) {
			t.Errorf("got type %d, data %x", typ, data)
		}
		return stop
	})
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("got %v after %d calls, want stop after 1", err, calls)
	}
}
