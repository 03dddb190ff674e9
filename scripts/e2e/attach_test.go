package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/scripts/proc"
	"github.com/hawser-storage/hawser/scripts/relay"
)

// stopTime is far more than a process with its paths up needs to drain: it keeps a hang from being one.
const stopTime = 3 * time.Minute

const ownIQN = "iqn.2026-11.io.hawser:e2e-own"

// A volume is a LUN, attached by two paths, each behind a relay.
type volume struct {
	relays [2]*relay.Relay
	socket string
	proc   *proc.Process
}

// attach starts the relays to two portals, and hawser, and waits until I/O may begin.
func attach(t *testing.T, portals [2]string, iqn string, lun int) *volume {
	t.Helper()
	v := &volume{socket: filepath.Join(t.TempDir(), "nbd.sock")}
	for i, portal := range portals {
		r, err := relay.Listen(fmt.Sprintf("127.0.0.%d:0", i+1), portal)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.Close)
		v.relays[i] = r
	}
	// The timeouts let silence be noticed in about two seconds.
	v.proc = start(t, hawser, "attach", "--foreground", "--socket", v.socket,
		"--initiator", "iqn.2026-11.io.hawser:e2e-initiator",
		"--noop-out-interval", "1", "--noop-out-timeout", "1", "--login-timeout", "2",
		fmt.Sprintf("iscsi://%s,%s/%s/%d", v.relays[0].Addr(), v.relays[1].Addr(), iqn, lun))
	awaitReady(t, v.proc)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("hawser said:\n%s", v.proc.Stderr)
		}
	})
	return v
}

// attachTGT attaches the LUN of a tgt of its own.
func attachTGT(t *testing.T) *volume {
	t.Helper()
	return attach(t, startTGT(t).portals, tgtIQN, 1)
}

// attachOwn attaches a thin LUN in memory of the embedded target.
func attachOwn(t *testing.T) *volume {
	t.Helper()
	portals := freePortals(t)
	target := start(t, hawser, "target", "serve", "--iqn", ownIQN, "--lun", "ram:1G,thin=on",
		"--listen", portals[0]+","+portals[1])
	awaitReady(t, target)
	return attach(t, portals, ownIQN, 0)
}

func awaitReady(t *testing.T, p *proc.Process) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTime)
	defer cancel()
	if _, err := p.Ready(ctx, "ready"); err != nil {
		t.Fatal(err)
	}
}

// uri is the volume's address for NBD clients.
func (v *volume) uri() string { return "nbd+unix:///?socket=" + v.socket }

// detach ends hawser as an operator does and checks that it ended well.
func (v *volume) detach(t *testing.T) {
	t.Helper()
	if err := v.proc.Stop(stopTime); err != nil {
		t.Errorf("detach: %v", err)
	}
}

// client runs a program to its end, and returns what it wrote on stdout.
func client(t *testing.T, argv ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out, err := proc.Run(ctx, argv[0], argv[1:]...)
	if err != nil {
		t.Fatalf("%q: %v\n%s", argv, err, out)
	}
	return out
}
