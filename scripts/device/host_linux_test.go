//go:build vm

package device

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/iscsi/target"
	"github.com/hawser-storage/hawser/scripts/proc"
)

// patience bounds what has no measure of its own. It ends a hang.
const patience = 5 * time.Minute

// host is a storage, and a daemon.
type host struct {
	t       *testing.T
	storage storage
	target  *target.Target // the storage, if it is the embedded one
	daemon  *proc.Process
}

// newHost starts a target with LUNs, and a daemon. At the end nothing of either may be left.
func newHost(t *testing.T, luns ...string) *host {
	t.Helper()
	h := &host{t: t}
	h.startTarget(luns...)
	h.begin()
	return h
}

// begin starts the daemon, when there is a storage.
func (h *host) begin() {
	h.t.Helper()
	h.t.Cleanup(func() { _ = h.daemon.Kill() }) // after check, which ends it in order
	h.startDaemon()
	h.t.Cleanup(h.check)
}

// startDaemon starts a daemon and waits until it has taken up what there is.
func (h *host) startDaemon(args ...string) {
	h.t.Helper()
	var err error
	if h.daemon, err = proc.Start(os.Getenv("HAWSER"), append([]string{"daemon"}, args...)...); err != nil {
		h.t.Fatal(err)
	}
	d := h.daemon
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	if _, err := d.Ready(ctx, "ready"); err != nil {
		h.t.Fatalf("daemon: %v\n%s", err, d.Stderr)
	}
}

// killDaemon ends the daemon as an accident would.
func (h *host) killDaemon() {
	h.t.Helper()
	if err := h.daemon.Kill(); err != nil {
		h.t.Fatal(err)
	}
}

// check is the end of every test: what is still attached goes, and no device is left.
func (h *host) check() {
	t := h.t
	for _, v := range h.list() {
		if out, err := h.try("detach", v.Name); err != nil {
			t.Errorf("detach %s: %v\n%s", v.Name, err, out)
			_, _ = h.try("detach", "--force", v.Name)
		}
	}
	if left := connected(t); len(left) > 0 {
		t.Errorf("devices are left: %v", left)
	}
	if err := h.daemon.Stop(patience); err != nil {
		t.Errorf("daemon: %v", err)
	}
	if err := h.storage.blame(); err != nil {
		t.Error(err)
	}
	if t.Failed() {
		t.Logf("the daemon said:\n%s", h.daemon.Stderr)
	}
	if stuck := uninterruptible(); len(stuck) > 0 {
		t.Errorf("processes are stuck: %v", stuck)
	}
}

// try runs hawser.
func (h *host) try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return proc.Run(ctx, os.Getenv("HAWSER"), args...)
}

func (h *host) hawser(args ...string) string {
	h.t.Helper()
	out, err := h.try(args...)
	if err != nil {
		h.t.Fatalf("hawser %s: %v", strings.Join(args, " "), err)
	}
	return out
}

// attach attaches a LUN by both portals and returns its device. The times are short, so that what a path does shows soon.
func (h *host) attach(lun int, args ...string) string {
	h.t.Helper()
	out := h.hawser(attachArgs(lun, args...)...)
	words := strings.Fields(out)
	if len(words) < 2 || words[0] != "ready" {
		h.t.Fatalf("attach said %q", out)
	}
	return words[1]
}

func attachArgs(lun int, args ...string) []string {
	args = append([]string{"attach", "--noop-out-interval", "2", "--noop-out-timeout", "2", "--login-timeout", "5"}, args...)
	return append(args, fmt.Sprintf("iscsi://%s,%s/%s/%d", portals[0], portals[1], iqn, lun))
}

// listed is a volume as list --json tells it.
type listed struct {
	Name   string
	State  string
	Device string
	Size   uint64
	Errors struct{ Count uint64 }
	Paths  []struct{ Portal, State, Reason string }
}

func (h *host) list() (all []listed) {
	h.t.Helper()
	out, err := h.try("list", "--json")
	if err != nil {
		h.t.Errorf("list: %v", err)
		return nil
	}
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		h.t.Errorf("list --json: %v\n%s", err, out)
	}
	return all
}

// run runs a program of the host's.
func (h *host) run(name string, args ...string) string {
	h.t.Helper()
	out, err := h.tool(name, args...)
	if err != nil {
		h.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// tool is the same for one that may fail.
func (h *host) tool(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	return string(out), err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func format(n uint64) string { return strconv.FormatUint(n, 10) }

// await waits for what no event tells.
func (h *host) await(what string, ok func() bool) {
	h.t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Logf("%s", h.why())
			h.t.Fatalf("%s did not happen\ndaemon:\n%s", what, h.daemon.Stderr)
		}
	}
}
