package login

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSendTargets(t *testing.T) {
	targets := []TargetRecord{
		{Name: "iqn.2026-11.io.hawser:a", Addresses: []Address{{"10.0.0.1", 3260, 1, true}, {"fe80::1", 861, 2, true}}},
		{Name: "iqn.2026-11.io.hawser:b"},
	}
	text := AppendSendTargets(nil, targets)
	want := lines("TargetName=iqn.2026-11.io.hawser:a", "TargetAddress=10.0.0.1:3260,1",
		"TargetAddress=[fe80::1]:861,2", "TargetName=iqn.2026-11.io.hawser:b")
	if string(text) != want {
		t.Errorf("got %q, want %q", text, want)
	}
	got, err := ParseSendTargets(text)
	if d := cmp.Diff(got, targets); err != nil || d != "" {
		t.Errorf("%v (-got +want):\n%s", err, d)
	}
	if got, err := ParseSendTargets(nil); len(got) > 0 || err != nil {
		t.Errorf("empty: got %v, %v", got, err)
	}
}

func TestSendTargetsErrors(t *testing.T) {
	for text, want := range map[string]string{
		lines("TargetAddress=a"):                                "login: answer to SendTargets has a TargetAddress before the first TargetName",
		lines("TargetName="):                                    "login: no TargetName",
		lines("TargetName=disk"):                                "login: TargetName disk is no iSCSI name, which starts with iqn., eui. or naa.",
		lines("TargetName=iqn.a", "TargetAddress=a:0"):          "login: address a:0: the port is no number from 1 to 65535; want host[:port][,tag], IPv6 in brackets",
		"TargetName=iqn.a":                                      "login: answer to SendTargets: iscsi: text segment: pair at byte 0: no NUL ends it",
		strings.Repeat(lines("TargetName=iqn.a"), maxTargets+1): "login: answer to SendTargets has more than 16384 targets",
		lines("TargetName=iqn.a") + strings.Repeat(lines("TargetAddress=a"), maxAddresses+1): "login: answer to SendTargets has more than 65536 addresses",
	} {
		if _, err := ParseSendTargets([]byte(text)); fmt.Sprint(err) != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func FuzzParseSendTargets(f *testing.F) {
	f.Add([]byte(lines("TargetName=iqn.a", "TargetAddress=[::1]:1,1", "X-a=b", "TargetAlias=c")))
	f.Fuzz(func(t *testing.T, text []byte) {
		targets, err := ParseSendTargets(text)
		if err != nil {
			return
		}
		again, err := ParseSendTargets(AppendSendTargets(nil, targets))
		if d := cmp.Diff(again, targets); err != nil || d != "" {
			t.Errorf("%v\n%s", err, d)
		}
	})
}
