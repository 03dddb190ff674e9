package vm

import (
	"bytes"
	"os/exec"
	"testing"

	"github.com/hawser-storage/hawser/scripts/proc"
)

// TestCpio asks another implementation what is in an archive.
func TestCpio(t *testing.T) {
	busybox, err := proc.Find("busybox")
	if err != nil {
		if testing.Short() {
			t.Skip("-short does without busybox:", err)
		}
		t.Fatal(err)
	}
	var archive cpio
	archive.dir("a")
	archive.file("a/file", 0o755, []byte("12345"))
	archive.file("a/empty", 0o644, nil)
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), busybox, "sh", "-c", "cpio -i && cat a/file && test -x a/file && test -f a/empty")
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(archive.bytes())
	got, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	contains(t, string(got), "12345")
}
