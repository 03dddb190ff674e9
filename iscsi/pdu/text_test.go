package pdu

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func pairs(data string) ([]string, error) {
	var got []string
	s := NewTextScanner([]byte(data))
	for key, value := range s.Pairs() {
		got = append(got, string(key), string(value))
	}
	return got, s.Err()
}

func TestText(t *testing.T) {
	key, value := strings.Repeat("k", MaxKeyLen), strings.Repeat("v", MaxValueLen)
	for _, tt := range []struct {
		name, data string
		want       []string
	}{
		{"nothing", "", nil},
		{"padding alone", "\x00\x00\x00", nil},
		{"one", "A=1\x00", []string{"A", "1"}},
		{"empty pairs between", "\x00A=1\x00\x00\x00B=\x00\x00", []string{"A", "1", "B", ""}},
		{"= in the value", "A=b=c==\x00", []string{"A", "b=c=="}},
		{"one key twice", "A=1\x00A=2\x00", []string{"A", "1", "A", "2"}},
		{"longest", key + "=" + value + "\x00", []string{key, value}},
	} {
		got, err := pairs(tt.data)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%s: error %v (-want +got):\n%s", tt.name, err, diff)
		}
	}
}

func TestTextMalformed(t *testing.T) {
	for name, pair := range map[string]string{
		"no =":           "Key\x00",
		"no key":         "=value\x00",
		"no NUL":         "Key=value",
		"key too long":   strings.Repeat("k", MaxKeyLen+1) + "=\x00",
		"value too long": "K=" + strings.Repeat("v", MaxValueLen+1) + "\x00",
	} {
		got, err := pairs("A=1\x00" + pair)
		var text *TextError
		if !errors.As(err, &text) || text.Offset != 4 || text.Reason == "" {
			t.Errorf("%s: got %v, want a *TextError at byte 4", name, err)
		}
		if diff := cmp.Diff([]string{"A", "1"}, got); diff != "" {
			t.Errorf("%s: pairs before it (-want +got):\n%s", name, diff)
		}
	}
}

func TestTextTruncated(t *testing.T) {
	whole := AppendText(AppendText(nil, "InitiatorName", "iqn.a"), "SessionType", "Normal")
	first := len("InitiatorName=iqn.a\x00")
	for n := 1; n < len(whole); n++ {
		got, err := pairs(string(whole[:n]))
		if (err == nil) != (n == first) {
			t.Errorf("%d of %d bytes: got %q, %v", n, len(whole), got, err)
		}
	}
}

func TestTextErrorStays(t *testing.T) {
	s := NewTextScanner([]byte("bad\x00A=1\x00"))
	for range 3 {
		if key, value, ok := s.Next(); ok {
			t.Errorf("got %s=%s after an error", key, value)
		}
	}
	if s.Err() == nil {
		t.Error("got no error, want the first to stay")
	}
}

func TestTextGoesOnAfterBreak(t *testing.T) {
	s := NewTextScanner([]byte("A=1\x00B=2\x00"))
	for range s.Pairs() {
		break
	}
	if key, _, ok := s.Next(); !ok || string(key) != "B" {
		t.Errorf("got %q, %t; want B", key, ok)
	}
}

func TestTextCopiesNothing(t *testing.T) {
	data := []byte("A=1\x00B=2\x00")
	allocs := testing.AllocsPerRun(100, func() {
		s := TextScanner{data: data}
		for _, _, ok := s.Next(); ok; _, _, ok = s.Next() {
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations, want none", allocs)
	}
}
