package packaging

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A tree is the root of a system in which something is installed.
type tree struct {
	root string
	env  []string
}

// stage installs to a new tree, with a program that knows its completion and nothing else.
func stage(t *testing.T, prefix string) *tree {
	t.Helper()
	program := filepath.Join(t.TempDir(), "hawser")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n[ \"$*\" = 'completion bash' ] && echo '# completion'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := &tree{root: t.TempDir()}
	s.env = append(os.Environ(), "DESTDIR="+s.root, "PREFIX="+prefix, "BINARY="+program)
	if out, err := s.run("./install.sh"); err != nil {
		t.Fatalf("install.sh: %v\n%s", err, out)
	}
	readAll(t)
	return s
}

// readAll reads what the scripts read. go test keeps a result until a file changes that the test itself has read.
func readAll(t *testing.T) {
	t.Helper()
	for _, pattern := range []string{"*.sh", "*.md", "*/*.service", "*/*.rules", "systemd/unmount", "udev/hawser_id"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, files, err)
		}
		for _, file := range files {
			if _, err := os.ReadFile(file); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (s *tree) run(script string) (string, error) {
	cmd := exec.Command(script)
	cmd.Env = s.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// files are all that are no directories, with their modes.
func (s *tree) files(t *testing.T) (all []string) {
	t.Helper()
	err := filepath.WalkDir(s.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		all = append(all, info.Mode().String()+" "+path[len(s.root):])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(a[len("-rw-r--r-- "):], b[len("-rw-r--r-- "):]) })
	return all
}

func (s *tree) read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
