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

// speaking is a program that knows its completion and its manual, and nothing else.
const speaking = `#!/bin/sh
case $* in
version) ;;
'completion bash') echo '# completion' ;;
'man '*) cd "$2" && touch hawser.1 hawser-status.1 ;;
*) exit 2 ;;
esac
`

// stage installs a program that speaks to a new tree.
func stage(t *testing.T, prefix string) *tree {
	t.Helper()
	s := newTree(t, prefix, speaking)
	if out, err := s.run("./install.sh"); err != nil {
		t.Fatalf("install.sh: %v\n%s", err, out)
	}
	readAll(t)
	return s
}

// newTree is a tree to which a program is going to be installed.
func newTree(t *testing.T, prefix, program string) *tree {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hawser")
	if err := os.WriteFile(file, []byte(program), 0o755); err != nil {
		t.Fatal(err)
	}
	s := &tree{root: t.TempDir()}
	s.env = append(os.Environ(), "DESTDIR="+s.root, "PREFIX="+prefix, "BINARY="+file)
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
