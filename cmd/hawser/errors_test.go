package main

import (
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hawser-storage/hawser/iscsi/login"
	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/iscsi/target"
)

// The texts that a newcomer meets first. Each is one line on stderr, names the portal, and says what to do.

// wantFailure attaches and compares what was said.
func wantFailure(t *testing.T, name string, names map[string]string, args ...string) {
	t.Helper()
	args = append([]string{"attach", "--foreground", "--initiator", testInitiator}, args...)
	status, stdout, stderr := command(t, args...)
	if status != exitFailed || stdout != "" || strings.Count(stderr, "\n") != 1 {
		t.Errorf("got status %d, stdout %q, stderr %q, want status %d and one line on stderr", status, stdout, stderr, exitFailed)
	}
	golden(t, name, stderr, names)
}

func socketIn(t *testing.T) string { return filepath.Join(t.TempDir(), "nbd") }

func portalNames(addrs ...net.Addr) map[string]string {
	names := map[string]string{}
	for i, a := range addrs {
		names[a.String()] = []string{"192.0.2.1:3260", "192.0.2.2:3260"}[i]
	}
	return names
}

func TestPortalRefused(t *testing.T) {
	lns, err := listenAll([]string{"127.0.0.1:0", "127.0.0.2:0"})
	if err != nil {
		t.Fatal(err)
	}
	a, b := lns[0].Addr(), lns[1].Addr()
	closeAll(lns) // and nobody listens there now
	wantFailure(t, "portal_refused", portalNames(a, b),
		"--socket", socketIn(t), "iscsi://"+a.String()+","+b.String()+"/"+target.DefaultIQN+"/0")
}

func TestPortalSilent(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close() // the kernel accepts, and nobody answers
	wantFailure(t, "portal_silent", portalNames(ln.Addr()),
		"--login-timeout", "200ms", "--socket", socketIn(t), "iscsi://"+ln.Addr().String()+"/"+target.DefaultIQN+"/0")
}

func TestWrongIQN(t *testing.T) {
	tgt := newTestTarget(t, target.Config{LUNs: []target.LUN{ramLUN(1 << 20)}})
	wantFailure(t, "wrong_iqn", portalNames(tgt.portals...),
		"--socket", socketIn(t), "iscsi://"+tgt.portalList()+"/iqn.2026-11.io.hawser:typo/0")
}

func TestNoAccess(t *testing.T) {
	tgt := newTestTarget(t, target.Config{
		LUNs: []target.LUN{ramLUN(1 << 20)},
		Auth: func(login.Request) (login.Authenticator, error) {
			return nil, login.Refuse(pdu.LoginForbidden, errors.New("not on the list"))
		},
	})
	wantFailure(t, "no_access", portalNames(tgt.portals...), "--socket", socketIn(t), tgt.url("0"))
}

func TestLUNAbsent(t *testing.T) {
	tgt := newTestTarget(t, target.Config{LUNs: []target.LUN{ramLUN(1 << 20), ramLUN(1 << 20)}})
	wantFailure(t, "lun_absent", portalNames(tgt.portals...), "--socket", socketIn(t), tgt.url("7"))
}

// TestReasonsDiffer has a different reason for each path.
func TestReasonsDiffer(t *testing.T) {
	tgt := newTestTarget(t, target.Config{LUNs: []target.LUN{ramLUN(1 << 20)}})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := ln.Addr()
	closeAll([]net.Listener{ln})
	wantFailure(t, "reasons_differ", portalNames(dead, tgt.portals[1]), "--socket", socketIn(t),
		"iscsi://"+dead.String()+"/"+target.DefaultIQN+"/0", "iscsi://"+tgt.portals[1].String()+"/iqn.2026-11.io.hawser:typo/0")
}

func TestIdentityMismatch(t *testing.T) {
	a, b := ramLUN(1<<20), ramLUN(1<<20)
	a.NAA, a.Serial = "6000000000000000000000000000000a", "A"
	b.NAA, b.Serial = "6000000000000000000000000000000b", "B"
	tgt := newTestTarget(t, target.Config{LUNs: []target.LUN{a, b}})
	wantFailure(t, "identity_mismatch", portalNames(tgt.portals...), "--socket", socketIn(t),
		"iscsi://"+tgt.portals[0].String()+"/"+tgt.IQN()+"/0", "iscsi://"+tgt.portals[1].String()+"/"+tgt.IQN()+"/1")
}

func TestSocketInUse(t *testing.T) {
	tgt := newTestTarget(t, target.Config{LUNs: []target.LUN{ramLUN(1 << 20)}})
	socket := socketIn(t)
	ln, err := listenUnix(socket)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	wantFailure(t, "socket_in_use", map[string]string{filepath.Dir(socket): "/run/hawser"}, "--socket", socket, tgt.url("0"))
}

// TestVolumeInUse attaches a volume twice from one host.
func TestVolumeInUse(t *testing.T) {
	tgt := newTestTarget(t, target.Config{LUNs: []target.LUN{ramLUN(1 << 20)}})
	p, _ := attach(t, tgt)
	status, _, stderr := command(t, "attach", "--foreground", "--initiator", testInitiator, "--socket", socketIn(t), tgt.url("0"))
	if status != exitFailed || !strings.Contains(stderr, "is attached already, by process") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("got status %d, %q", status, stderr)
	}
	p.signal(15)
	p.wantExit(exitDone)
}

func TestNoSuchInterface(t *testing.T) {
	wantFailure(t, "no_interface", nil, "--socket", socketIn(t), "iscsi://127.0.0.1:3260%nope0/"+target.DefaultIQN+"/0")
}

func TestUsage(t *testing.T) {
	url := "iscsi://127.0.0.1/" + target.DefaultIQN + "/0"
	at := []string{"attach", "--foreground", "--initiator", testInitiator}
	for name, args := range map[string][]string{
		"no such command":     {"frobnicate"},
		"no such flag":        {"attach", "--frobnicate"},
		"no foreground":       {"attach", "--socket", "s", url},
		"device and socket":   append(at, "--device", "auto", "--socket", "s", url),
		"both ways":           append(at, "--socket", "s", "--listen", "127.0.0.1:0", url),
		"no volume":           append(at, "--socket", "s"),
		"no URL":              append(at, "--socket", "s", "volume"),
		"path twice":          append(at, "--socket", "s", url, url),
		"user":                append(at, "--socket", "s", "iscsi://me@127.0.0.1/"+target.DefaultIQN+"/0"),
		"open to the world":   append(at, "--listen", "0.0.0.0:10809", url),
		"no port":             append(at, "--listen", "127.0.0.1", url),
		"bad size":            append(at, "--socket", "s", "--memory", "1.5G", url),
		"small memory":        append(at, "--socket", "s", "--memory", "1M", url),
		"memory for two":      append(at, "--socket", filepath.Join(t.TempDir(), "s"), "--memory", "32M", "iscsi://127.0.0.1,127.0.0.2,127.0.0.3,127.0.0.4/"+target.DefaultIQN+"/0"),
		"bad initiator":       {"attach", "--foreground", "--initiator", "me", "--socket", "s", url},
		"no fence":            append(at, "--socket", "s", "--fence-timeout", "0", url),
		"bad time":            append(at, "--socket", "s", "--login-timeout", "soon", url),
		"bad commands":        append(at, "--socket", "s", "--cmds-max", "0", url),
		"bad digest":          append(at, "--socket", "s", "--data-digest", "MD5", url),
		"bad log level":       append(at, "--socket", "s", "--log-level", "loud", url),
		"bad log format":      append(at, "--socket", "s", "--log-format", "xml", url),
		"target alone":        {"target"},
		"target without LUN":  {"target", "serve"},
		"target without port": {"target", "serve", "--lun", "ram:1M", "--listen", "127.0.0.1"},
		"target with bad LUN": {"target", "serve", "--lun", "disk:1G"},
		"target, bad key":     {"target", "serve", "--lun", "ram:1M", "--force", "Frobnicate=Yes"},
		"target, bad force":   {"target", "serve", "--lun", "ram:1M", "--force", "InitialR2T"},
		"target, bad name":    {"target", "serve", "--lun", "ram:1M", "--iqn", "target"},
		"short demo":          {"demo", "--seconds", "0"},
		"small demo":          {"demo", "--size", "1M"},
		"iqn with arguments":  {"iqn", "me"},
	} {
		t.Run(name, func(t *testing.T) {
			status, stdout, stderr := command(t, args...)
			if status != exitUsage || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "--help") {
				t.Errorf("got status %d, stdout %q, stderr %q, want status %d and one line with advice", status, stdout, stderr, exitUsage)
			}
		})
	}
}
