package vm

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inVM runs a VM and shows what its command writes.
func inVM(t *testing.T, c Config) (Result, error) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short leaves out what boots a VM")
	}
	if c.Stdout == nil {
		c.Stdout = t.Output()
	}
	if c.Stderr == nil {
		c.Stderr = t.Output()
	}
	result, err := Run(t.Context(), c)
	if result.Boot != 0 {
		t.Logf("the command began %.1f s after the VM", result.Boot.Seconds())
	}
	return result, err
}

// image returns the path of a file for a disk of 64 MiB, made by mkfs.
func image(t *testing.T, mkfs ...string) string {
	t.Helper()
	path := t.TempDir() + "/disk"
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 64<<20); err != nil {
		t.Fatal(err)
	}
	if len(mkfs) != 0 {
		run(t, append(mkfs, path)...)
	}
	return path
}

// run runs a program here, where root's programs may not be in PATH.
func run(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "env", append([]string{"PATH=" + os.Getenv("PATH") + ":/usr/sbin:/sbin"}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// contains reports what a text ought to say and does not.
func contains(t *testing.T, text string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(text, want) {
			t.Errorf("got %s, want it to say %q", fmt.Sprintf("%q", text), want)
		}
	}
}
