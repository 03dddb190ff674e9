package gates

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// topLevel is all that may stand at the top of the tree. What has no place here has one in a directory.
var topLevel = []string{
	"cmd", "blockdev", "iscsi", "mpio", "bench", "scripts",
	"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE",
	"Makefile", "go.mod", "go.sum", ".gitignore", ".golangci.yml", ".ci",
	// Not in git: git's own, and what make builds.
	".git", "bin", ".cache",
}

func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(topLevel, e.Name()) {
			t.Errorf("%s stands at the top of the tree; only %v do", e.Name(), topLevel)
		}
	}
}

// TestUnixOnlyInLinuxFiles: who reads a file name knows whether system calls are in it.
func TestUnixOnlyInLinuxFiles(t *testing.T) {
	for _, path := range goFiles(t) {
		name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".go"), "_test")
		if strings.HasSuffix(name, "_linux") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, imp := range file.Imports {
			if imp.Path.Value == `"golang.org/x/sys/unix"` {
				t.Errorf("%s imports golang.org/x/sys/unix; only files named *_linux.go do", path)
			}
		}
	}
}

func goFiles(t *testing.T) (files []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root:
			return filepath.SkipDir
		case strings.HasSuffix(path, ".go"):
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
