package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestUnits lets systemd read the units. It complains about what it does not know, and about programs that are not there.
func TestUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed: it comes with systemd")
	}
	s := stage(t, "/usr")
	lvm := filepath.Join(s.root, "sbin/lvm")
	if err := os.MkdirAll(filepath.Dir(lvm), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(lvm, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	units := []string{"hawser.service", "hawser-shutdown.service", "hawser@vol1.service", "hawser-vg@data.service"}
	out, err := exec.Command(analyze, append([]string{"verify", "--man=no", "--root=" + s.root}, units...)...).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}
