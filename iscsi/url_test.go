package iscsi

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseURL(t *testing.T) {
	for in, want := range map[string]URL{
		"iscsi://127.0.0.1/iqn.2026-11.a:b/1": {
			Portals: []Portal{{Host: "127.0.0.1", Port: 3260}}, Target: "iqn.2026-11.a:b", LUN: 1,
		},
		"iscsi://joe@10.0.0.1:3261%eth0,[fd00::1]:3262,[fd00::2],array/iqn.2026-11.a:b/16383": {
			User: "joe",
			Portals: []Portal{
				{Host: "10.0.0.1", Port: 3261, Interface: "eth0"},
				{Host: "fd00::1", Port: 3262},
				{Host: "fd00::2", Port: 3260},
				{Host: "array", Port: 3260},
			},
			Target: "iqn.2026-11.a:b", LUN: 16383,
		},
		"iscsi://fd00::1/eui.02004567A425678D/0": {
			Portals: []Portal{{Host: "fd00::1", Port: 3260}}, Target: "eui.02004567A425678D", LUN: 0,
		},
	} {
		got, err := ParseURL(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", in, diff)
		}
	}
}

func TestParseURLRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"10.0.0.1/iqn.a/1":                        "does not begin with iscsi://",
		"iscsi://10.0.0.1/iqn.2026-11.a:b":        "separated by /",
		"iscsi://10.0.0.1/iqn.2026-11.a:b/1/2":    "separated by /",
		"iscsi://joe:secret@10.0.0.1/iqn.a/1":     "secret",
		"iscsi://joe%secret@10.0.0.1/iqn.a/1":     "secret",
		"iscsi://10.0.0.1:0/iqn.2026-11.a:b/1":    "port",
		"iscsi://10.0.0.1:99999/iqn.2026-11.a:b/": "port",
		"iscsi://10.0.0.1,/iqn.2026-11.a:b/1":     "portal",
		"iscsi://10.0.0.1%/iqn.2026-11.a:b/1":     "interface",
		"iscsi://[fd00::1/iqn.2026-11.a:b/1":      "portal",
		"iscsi://10.0.0.1/target/1":               "iqn.",
		"iscsi://10.0.0.1/iqn.2026-11.a:b/x":      "LUN",
		"iscsi://10.0.0.1/iqn.2026-11.a:b/16384":  "LUN",
		"iscsi://10.0.0.1/iqn.2026-11.a:b/-1":     "LUN",
	} {
		_, err := ParseURL(in)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", in, err, want)
		}
		if err != nil && strings.Contains(in, "secret@") && strings.Contains(err.Error(), "joe:secret") {
			t.Errorf("%s: the error tells the secret: %v", in, err)
		}
	}
}

func FuzzParseURL(f *testing.F) {
	f.Add("iscsi://joe@10.0.0.1:3261%eth0,[fd00::1]:3262/iqn.2026-11.a:b/1")
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseURL(s)
		if err != nil {
			return
		}
		if len(u.Portals) == 0 || u.LUN < 0 || u.LUN > MaxLUN || ValidName(u.Target) != nil {
			t.Errorf("%q gave %+v", s, u)
		}
		for _, p := range u.Portals {
			if again, err := ParsePortal(p.String()); err != nil || again != p {
				t.Errorf("portal %+v prints as %q, which reads as %+v, %v", p, p, again, err)
			}
		}
	})
}
