package iscsi_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestLibrary builds the package example as a program in a module of its own, which requires this one, and runs it.
func TestLibrary(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a module: not in the short run")
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	source = bytes.Replace(source, []byte("package iscsi_test"), []byte("package main"), 1)
	source = bytes.Replace(source, []byte("func Example()"), []byte("func main()"), 1)
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"main.go": string(source),
		"go.sum":  string(sums),
		"go.mod": "module example.com/attach\n\ngo 1.26\n\nrequire github.com/hawser-storage/hawser v0.0.0\n\n" +
			"replace github.com/hawser-storage/hawser => " + root + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", "-mod=mod", ".")
	cmd.Dir = dir
	out, err := cmd.Output()
	if want := "a rope of two strands"; err != nil || !strings.HasPrefix(string(out), want) {
		t.Errorf("got %q, %v, want %q", out, err, want)
	}
}
