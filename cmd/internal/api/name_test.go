package api

import (
	"strings"
	"testing"
)

func TestValidName(t *testing.T) {
	for name, ok := range map[string]bool{
		"db": true, "DB-1.old_2": true, "0": true, strings.Repeat("a", MaxName): true,
		"": false, ".": false, "..": false, "-f": false, ".hidden": false, "_x": false, "a/b": false, "a b": false, "a\n": false, "a\x00": false,
		"ä": false, "hawser": false, strings.Repeat("a", MaxName+1): false, "/dev/nbd0": false,
	} {
		if err := ValidName(name); (err == nil) != ok || !ok && KindOf(err) != Usage {
			t.Errorf("%q: got %v, want allowed %v", name, err, ok)
		}
	}
}

func TestValidDevice(t *testing.T) {
	for device, ok := range map[string]bool{
		"auto": true, "/dev/nbd0": true, "/dev/nbd127": true,
		"": false, "nbd0": false, "/dev/nbd": false, "/dev/nbd01": false, "/dev/nbd0p1": false, "/dev/sda": false, "/dev/nbd0\n": false,
		"/dev/nbd9999999": false, "/dev/../dev/nbd0": false,
	} {
		if err := ValidDevice(device); (err == nil) != ok {
			t.Errorf("%q: got %v, want allowed %v", device, err, ok)
		}
	}
}

func TestDefaultName(t *testing.T) {
	for _, test := range []struct {
		target string
		lun    int
		want   string
	}{
		{"iqn.2026-11.io.hawser:target", 0, "target-0"},
		{"iqn.2003-01.org.linux-iscsi.host.x8664:sn.0123456789ab", 12, "sn.0123456789ab-12"},
		{"iqn.2001-04.com.example:storage:disk2", 3, "disk2-3"},
		{"iqn.2001-04.com.example", 1, "iqn.2001-04.com.example-1"},
		{"eui.02004567A425678D", 0, "eui.02004567A425678D-0"},
		{"iqn.2001-04.com.example:größe/1 x", 0, "gr-e-1-x-0"},
		{"iqn.2001-04.com.example:", 0, "volume-0"},
		{"iqn.2001-04.com.example:-.-", 0, "volume-0"},
		{"iqn.2001-04.com.example:" + strings.Repeat("long", 50), 255, strings.Repeat("long", 15) + "-255"},
	} {
		got := DefaultName(test.target, test.lun)
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.target, got, test.want)
		}
		if err := ValidName(got); err != nil {
			t.Errorf("%s: %v", test.target, err)
		}
	}
}
