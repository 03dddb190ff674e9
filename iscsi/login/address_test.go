package login

import (
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	for in, want := range map[string]Address{
		"10.0.0.1":                 {"10.0.0.1", 3260, 0, false},
		"10.0.0.1:860":             {"10.0.0.1", 860, 0, false},
		"10.0.0.1:860,65535":       {"10.0.0.1", 860, 65535, true},
		"10.0.0.1,1":               {"10.0.0.1", 3260, 1, true},
		"san-1.example.com:3260,0": {"san-1.example.com", 3260, 0, true},
		"[2001:db8::1]":            {"2001:db8::1", 3260, 0, false},
		"[2001:db8::1]:1,2":        {"2001:db8::1", 1, 2, true},
	} {
		got, err := ParseAddress(in)
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v; want %+v", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", ":", ",", "a:", "a:0", "a:65536", "a:1:2", "a:x", "a,", "a,65536", "a,1,2", "a b", "2001:db8::1", "[", "[]", "[::1",
		"[::1]x", "[::1]:", "[10.0.0.1]", "[::1]]", "a/b", "user@a", "a\x00", strings.Repeat("a", 254),
	} {
		if got, err := ParseAddress(in); err == nil {
			t.Errorf("%q: got %+v", in, got)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	f.Add("[::1]:3260,1")
	f.Add("host,0")
	f.Fuzz(func(t *testing.T, in string) {
		a, err := ParseAddress(in)
		if err != nil {
			return
		}
		if again, err := ParseAddress(a.String()); err != nil || again != a {
			t.Errorf("%q: %+v, again %+v, %v", in, a, again, err)
		}
	})
}
