package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/hawser-storage/hawser/cmd/internal/stack"
	"github.com/hawser-storage/hawser/iscsi"
	"github.com/hawser-storage/hawser/mpio"
)

func TestFlagValues(t *testing.T) {
	const bad = "<refused>"
	for _, c := range []struct {
		flag     func() pflag.Value
		in, want string
	}{
		{func() pflag.Value { return new(sizeFlag) }, "4G", "4G"},
		{func() pflag.Value { return new(sizeFlag) }, "4096", "4K"},
		{func() pflag.Value { return new(sizeFlag) }, "1536k", "1536K"},
		{func() pflag.Value { return new(sizeFlag) }, "1000", "1000"},
		{func() pflag.Value { return new(sizeFlag) }, "4GB", bad},
		{func() pflag.Value { return new(sizeFlag) }, "-1", bad},
		{func() pflag.Value { return new(sizeFlag) }, "", bad},
		{func() pflag.Value { return new(bufferFlag) }, "auto", "auto"},
		{func() pflag.Value { return new(bufferFlag) }, "1M", "1M"},
		{func() pflag.Value { return new(bufferFlag) }, "1K", bad},
		{func() pflag.Value { return new(bufferFlag) }, "2G", bad},
		{func() pflag.Value { return new(secondsFlag) }, "5", "5s"},
		{func() pflag.Value { return new(secondsFlag) }, "500ms", "500ms"},
		{func() pflag.Value { return new(secondsFlag) }, "2m", "2m0s"},
		{func() pflag.Value { return new(secondsFlag) }, "0", bad},
		{func() pflag.Value { return new(secondsFlag) }, "-1s", bad},
		{func() pflag.Value { return new(secondsFlag) }, "99999999999", bad},
		{func() pflag.Value { return new(retryFlag) }, "fail", "fail"},
		{func() pflag.Value { return new(retryFlag) }, "0", "fail"},
		{func() pflag.Value { return new(retryFlag) }, "queue", "queue"},
		{func() pflag.Value { return new(retryFlag) }, "120", "2m0s"},
		{func() pflag.Value { return new(retryFlag) }, "-1", bad},
		{func() pflag.Value { return new(digestFlag) }, "CRC32C,None", "CRC32C,None"},
		{func() pflag.Value { return new(digestFlag) }, "None", "None"},
		{func() pflag.Value { return new(digestFlag) }, "None,None", bad},
		{func() pflag.Value { return new(digestFlag) }, "", bad},
		{func() pflag.Value { return new(choiceFlag) }, "Yes", "yes"},
		{func() pflag.Value { return new(choiceFlag) }, "no", "no"},
		{func() pflag.Value { return new(choiceFlag) }, "maybe", bad},
	} {
		f := c.flag()
		got := bad
		if err := f.Set(c.in); err == nil {
			got = f.String()
		}
		if got != c.want {
			t.Errorf("%s %q: got %s, want %s", f.Type(), c.in, got, c.want)
		}
	}
}

// TestSessionFlags checks that each flag gets where it belongs.
func TestSessionFlags(t *testing.T) {
	var o sessionOptions
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	o.register(fs)
	err := fs.Parse(strings.Fields("--login-timeout 1 --noop-out-interval 2 --noop-out-timeout 3 --socket-buffer auto " +
		"--header-digest CRC32C --data-digest CRC32C,None --initial-r2t yes --immediate-data no --cmds-max 32"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := o.config(testInitiator, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := iscsi.Config{
		InitiatorName: testInitiator, LoginTimeout: time.Second, NOOPInterval: 2 * time.Second, NOOPTimeout: 3 * time.Second,
		SocketBuffer: iscsi.BufferAuto, CmdsMax: 32,
	}
	want.Login.HeaderDigest, want.Login.DataDigest = []string{"CRC32C"}, []string{"CRC32C", "None"}
	want.Login.InitialR2T, want.Login.ImmediateData = 1, 2
	text := func(c iscsi.Config) string { return fmt.Sprintf("%+v", c) }
	if diff := cmp.Diff(text(got), text(want)); diff != "" {
		t.Errorf("got - want +:\n%s", diff)
	}
}

func TestParseVolume(t *testing.T) {
	got, err := stack.ParseURLs([]string{
		"iscsi://10.0.1.1,10.0.2.1:3261%eth1/iqn.2026-11.io.hawser:a/3",
		"iscsi://[fd00::1]/iqn.2026-11.io.hawser:b/0",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []stack.PathConfig{
		{Portal: iscsi.Portal{Host: "10.0.1.1", Port: 3260}, Target: "iqn.2026-11.io.hawser:a", LUN: 3},
		{Portal: iscsi.Portal{Host: "10.0.2.1", Port: 3261, Interface: "eth1"}, Target: "iqn.2026-11.io.hawser:a", LUN: 3},
		{Portal: iscsi.Portal{Host: "fd00::1", Port: 3260}, Target: "iqn.2026-11.io.hawser:b", LUN: 0},
	}
	if diff := cmp.Diff(got, want, cmp.AllowUnexported(stack.PathConfig{})); diff != "" {
		t.Errorf("got - want +:\n%s", diff)
	}
}

func TestOneLine(t *testing.T) {
	if got, want := oneLine("first\n  second\tthing \n\nthird"), "first; second thing; third"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestAttachFlags checks that what is mpio's gets there, and that the defaults are its own.
func TestAttachFlags(t *testing.T) {
	for _, c := range []struct {
		args         string
		retry, fence time.Duration
	}{
		{"", mpio.DefaultNoPathRetry, mpio.DefaultFenceTimeout},
		{"--no-path-retry queue --fence-timeout 90", queueForEver, 90 * time.Second},
		{"--no-path-retry fail --fence-timeout 500ms", 0, 500 * time.Millisecond},
	} {
		var o attachOptions
		fs := pflag.NewFlagSet("", pflag.ContinueOnError)
		o.register(fs)
		if err := fs.Parse(append(strings.Fields(c.args), "--initiator", testInitiator)); err != nil {
			t.Fatal(err)
		}
		got, err := o.volumeConfig([]string{"iscsi://127.0.0.1/" + testInitiator + "/0"}, nil)
		if err != nil || got.Retry != c.retry || got.Fence != c.fence {
			t.Errorf("%q: got %v, %v, %v, want %v, %v", c.args, got.Retry, got.Fence, err, c.retry, c.fence)
		}
	}
}
