package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hawser-storage/hawser/iscsi"
	"github.com/hawser-storage/hawser/iscsi/target"
)

func TestVersion(t *testing.T) {
	status, stdout, _ := command(t, "version", "--json")
	var v version
	if err := json.Unmarshal([]byte(stdout), &v); status != exitDone || err != nil || v.Go == "" || v.Platform == "" {
		t.Errorf("got status %d, %v, %s", status, err, stdout)
	}
	if status, stdout, _ := command(t, "version"); status != exitDone || !strings.HasPrefix(stdout, "hawser ") || strings.Count(stdout, "\n") != 1 {
		t.Errorf("got status %d, %q", status, stdout)
	}
}

func TestHelpIsNoFailure(t *testing.T) {
	for _, args := range [][]string{{}, {"--help"}, {"attach", "--help"}, {"target", "serve", "--help"}, {"completion", "bash"}} {
		if status, stdout, stderr := command(t, args...); status != exitDone || stdout == "" || stderr != "" {
			t.Errorf("%v: got status %d, stdout of %d bytes, stderr %q", args, status, len(stdout), stderr)
		}
	}
}

// TestInitiatorName is made once, for the host, or for a user who may not write there.
func TestInitiatorName(t *testing.T) {
	host := filepath.Join(t.TempDir(), "hawser", "initiatorname")
	noUser := func() (string, error) { return "", errors.New("no home") }
	first, err := initiatorNameIn(host, noUser)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := initiatorNameIn(host, noUser); err != nil || again != first {
		t.Errorf("got %q, %v, want %q again", again, err, first)
	}
	if err := os.WriteFile(host, []byte("me\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if name, err := initiatorNameIn(host, noUser); err == nil {
		t.Errorf("a malformed file gave %q", name)
	}
	if name, err := initiatorName("iqn.2026-11.io.hawser:given"); err != nil || name != "iqn.2026-11.io.hawser:given" {
		t.Errorf("got %q, %v", name, err)
	}
}

// TestInitiatorNameOfUser takes /proc for a place where nobody may write, root included.
func TestInitiatorNameOfUser(t *testing.T) {
	const host = "/proc/sys/kernel/hawser/initiatorname"
	dir := t.TempDir()
	_, hostErr := iscsi.InitiatorName(host)
	if !errors.Is(hostErr, os.ErrPermission) {
		t.Skipf("making a directory in /proc/sys/kernel fails otherwise here: %v", hostErr)
	}
	name, err := initiatorNameIn(host, func() (string, error) { return dir, nil })
	if err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "hawser", "initiatorname")); err != nil || strings.TrimSpace(string(b)) != name {
		t.Errorf("got %q, %v, want %q", b, err, name)
	}
	if _, err := initiatorNameIn(host, func() (string, error) { return "", errors.New("no home") }); err == nil ||
		!strings.Contains(err.Error(), "--initiator NAME") {
		t.Errorf("got %v, want advice", err)
	}
}

func TestHeldLog(t *testing.T) {
	var b bytes.Buffer
	h := holdLog(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelInfo}))
	log := slog.New(h).With("a", 1).WithGroup("g")
	log.Info("first", "b", 2)
	log.Debug("never")
	if b.Len() > 0 {
		t.Errorf("logged at once: %s", &b)
	}
	h.release()
	log.Info("second")
	if got := b.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "msg=first a=1 g.b=2") || !strings.Contains(got, "msg=second a=1") {
		t.Errorf("got %s", got)
	}
}

func TestTargetIsLenientUnlessStrict(t *testing.T) {
	for _, strict := range []bool{false, true} {
		o := targetOptions{iqn: target.DefaultIQN, luns: []string{"ram:1M"}, strict: strict}
		cfg, err := o.config(nil)
		if err != nil || cfg.Lenient == strict {
			t.Errorf("strict %v: got lenient %v, %v", strict, cfg.Lenient, err)
		}
	}
}
