package e2e

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/scripts/proc"
)

const (
	tgtIQN  = "iqn.2026-11.io.hawser:e2e"
	lunSize = 1 << 30

	startTime = 2 * time.Minute
)

// A tgt is a tgtd with one target, whose LUN 1 is a sparse file of 1 GiB, on two portals of loopback.
type tgt struct {
	portals [2]string
	lun     string // the file
	daemon  *proc.Process
}

// startTGT starts tgtd. Its management socket is a file of this test, so that it meets no other tgtd.
func startTGT(t *testing.T) *tgt {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TGT_IPC_SOCKET", filepath.Join(dir, "tgtd"))
	g := &tgt{portals: freePortals(t), lun: filepath.Join(dir, "lun")}
	spec := fmt.Sprintf("portal=%s,portal=%s", g.portals[0], g.portals[1])
	g.daemon = start(t, asRoot("tgtd", "-f", "--iscsi", spec)...)

	if err := os.WriteFile(g.lun, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(g.lun, lunSize); err != nil {
		t.Fatal(err)
	}
	g.awaitPortals(t)
	g.admin(t, "--mode", "target", "--op", "new", "--tid", "1", "--targetname", tgtIQN)
	g.admin(t, "--mode", "logicalunit", "--op", "new", "--tid", "1", "--lun", "1", "--backing-store", g.lun)
	g.admin(t, "--mode", "target", "--op", "bind", "--tid", "1", "--initiator-address", "127.0.0.0/8")
	return g
}

// asRoot makes the user root of a user namespace if need be: tgtd answers its administrator only if that is root.
func asRoot(argv ...string) []string {
	if os.Geteuid() == 0 {
		return argv
	}
	return append([]string{"unshare", "--map-root-user", "--"}, argv...)
}

func (g *tgt) admin(t *testing.T, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTime)
	defer cancel()
	if _, err := proc.Run(ctx, "tgtadm", append([]string{"--lld", "iscsi"}, args...)...); err != nil {
		t.Fatalf("%v; of tgtd:\n%s", err, g.daemon.Stderr)
	}
}

// awaitPortals waits until tgtd listens: it says so nowhere.
func (g *tgt) awaitPortals(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(startTime)
	for _, portal := range g.portals {
		for {
			conn, err := net.Dial("tcp", portal)
			if err == nil {
				_ = conn.Close()
				break
			}
			select {
			case <-g.daemon.Done():
				t.Fatal(g.daemon.Wait(t.Context()))
			case <-time.After(20 * time.Millisecond):
			}
			if time.Now().After(deadline) {
				t.Fatalf("tgtd does not listen on %s: %v\n%s", portal, err, g.daemon.Stderr)
			}
		}
	}
}

// freePortals returns one port that is free on both addresses.
func freePortals(t *testing.T) (portals [2]string) {
	t.Helper()
	for range 100 {
		a, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		first := a.Addr().String()
		second := strings.Replace(first, "127.0.0.1", "127.0.0.2", 1)
		b, err := net.Listen("tcp", second)
		_ = a.Close()
		if err != nil {
			continue
		}
		_ = b.Close()
		return [2]string{first, second}
	}
	t.Fatal("no port is free on both 127.0.0.1 and 127.0.0.2")
	return portals
}

// start starts a program that is killed at the end of the test, if it has not ended by then.
func start(t *testing.T, argv ...string) *proc.Process {
	t.Helper()
	p, err := proc.Start(argv[0], argv[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
	})
	return p
}
