package target_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hawser-storage/hawser/iscsi/target"
)

func TestParseSize(t *testing.T) {
	for s, want := range map[string]uint64{
		"0": 0, "512": 512, "1K": 1 << 10, "4k": 4 << 10, "64M": 64 << 20, "4G": 4 << 30, "2T": 2 << 40, "8388607T": 8388607 << 40,
	} {
		if got, err := target.ParseSize(s); err != nil || got != want {
			t.Errorf("%q: got %d, %v, want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"", "G", "4GB", "4.5G", "-1", "0x10", "4 G", "8388608T", "99999999999999999999", "1P"} {
		if got, err := target.ParseSize(s); err == nil {
			t.Errorf("%q: got %d, want an error", s, got)
		}
	}
}

func TestParseLUN(t *testing.T) {
	naa := "6001405000000000000000000000000f"
	for s, want := range map[string]target.LUN{
		"null:4G":                        {Kind: "null", Size: 4 << 30, BlockSize: 512},
		"ram:64M,block=4096,wce=on":      {Kind: "ram", Size: 64 << 20, BlockSize: 4096, WriteCache: true, Thin: true},
		"ram:1M,volatile=on":             {Kind: "ram", Size: 1 << 20, BlockSize: 512, WriteCache: true, Volatile: true, Thin: true},
		"ram:1M,thin=off,ro=on":          {Kind: "ram", Size: 1 << 20, BlockSize: 512, ReadOnly: true},
		"file:/a/b:c,wce=off,serial=S 1": {Kind: "file", Path: "/a/b:c", BlockSize: 512, Thin: true, Serial: "S 1"},
		"file:d,size=1M,naa=" + naa:      {Kind: "file", Path: "d", Size: 1 << 20, BlockSize: 512, WriteCache: true, Thin: true, NAA: naa},
	} {
		got, err := target.ParseLUN(s)
		if err != nil {
			t.Errorf("%q: %v", s, err)
		}
		if d := cmp.Diff(got, want); d != "" {
			t.Errorf("%q: got -, want +\n%s", s, d)
		}
	}
	for s, want := range map[string]string{
		"":                                      "unknown kind",
		"disk:1M":                               "unknown kind",
		"ram":                                   "no size",
		"ram:0":                                 "size is 0",
		"ram:1000":                              "no multiple",
		"ram:6K,block=4096":                     "no multiple",
		"ram:1M,block=1000":                     "power of two",
		"ram:1M,block=256":                      "power of two",
		"ram:1M,block=131072":                   "power of two",
		"ram:1M,wce=yes":                        "neither on nor off",
		"null:1M,volatile=on":                   "keeps nothing",
		"ram:1M,volatile=on,wce=off":            "needs wce=on",
		"ram:1M,colour=red":                     "unknown option",
		"ram:1M,":                               "unknown option",
		"file:":                                 "needs a path",
		"ram:1M,naa=123":                        "32 hexadecimal",
		"ram:1M,naa=" + strings.Repeat("5", 32): "begin with 6",
		"ram:1M,serial=" + strings.Repeat("x", 65): "at most 64",
	} {
		if _, err := target.ParseLUN(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q in it", s, err, want)
		}
	}
}
