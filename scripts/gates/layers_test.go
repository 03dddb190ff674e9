package gates

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/hawser-storage/hawser"

// A layer says what the packages at and below a directory may import, directly or through others.
type layer struct {
	dir  string   // relative to the module, as in ours; the longest that matches counts
	ours []string // packages of the module, each with those below it unless it ends in "$"
	not  []string // packages outside it that are refused as direct imports, with those below them
}

// layers is the architecture: a new directory gets its line here, or a line above it speaks for it.
var layers = []layer{
	{dir: "blockdev$"},
	{dir: "blockdev", ours: []string{"blockdev$", "blockdev/loop"}},
	{dir: "blockdev/loop", ours: []string{"blockdev/loop"}},
	{dir: "blockdev/nbd", ours: []string{"blockdev$", "blockdev/loop", "blockdev/nbd"}},

	{dir: "iscsi/pdu", not: []string{"net", "os", "syscall", "log"}},
	{dir: "iscsi/scsi", not: []string{"net", "os", "syscall", "log"}},
	{dir: "iscsi/login", ours: []string{"iscsi/pdu"}, not: []string{"os", "syscall", "log"}},
	{dir: "iscsi", ours: []string{"blockdev$", "blockdev/loop", "iscsi"}},
	{dir: "iscsi/target", ours: []string{"blockdev$", "blockdev/loop", "blockdev/memdev", "iscsi"}},

	{dir: "mpio", ours: []string{"blockdev$", "blockdev/loop", "mpio"}},

	{dir: "bench", ours: []string{"bench", "scripts/proc", "blockdev", "iscsi", "mpio"}},
	{dir: "scripts", ours: []string{"scripts"}},
	{dir: "cmd", ours: []string{"cmd", "bench", "blockdev", "iscsi", "mpio"}},
	{dir: "cmd/internal/api", ours: []string{"cmd/internal/unixsock"}},
	{dir: "cmd/internal/unixsock"},
}

// A listed package is the part of `go list -json` that the rules are about. The module is Linux only, so
// the host's view of the imports is the whole of it, but for what only one architecture compiles.
type listed struct {
	ImportPath   string
	Imports      []string
	Deps         []string
	TestImports  []string
	XTestImports []string
}

func TestLayers(t *testing.T) {
	for _, p := range list(t) {
		dir := strings.TrimPrefix(p.ImportPath, module+"/")
		l, ok := layerOf(dir)
		if !ok {
			t.Errorf("%s belongs to no layer; give it a line in layers", dir)
			continue
		}
		for _, dep := range p.Deps {
			ours, isOurs := strings.CutPrefix(dep, module+"/")
			if isOurs && !matches(l.ours, ours) {
				t.Errorf("%s depends on %s; %s may depend on %v", dir, ours, l.dir, l.ours)
			}
		}
		for _, imp := range p.Imports {
			if matches(l.not, imp) {
				t.Errorf("%s imports %s, which %s refuses", dir, imp, l.dir)
			}
		}
	}
}

// TestMpioTestsKnowNoISCSI: what mpio needs of a path is an interface, so its tests need no more either.
func TestMpioTestsKnowNoISCSI(t *testing.T) {
	for _, p := range list(t) {
		if !matches([]string{module + "/mpio"}, p.ImportPath) {
			continue
		}
		for _, imp := range slices.Concat(p.TestImports, p.XTestImports) {
			if matches([]string{module + "/iscsi"}, imp) {
				t.Errorf("a test of %s imports %s", p.ImportPath, imp)
			}
		}
	}
}

func layerOf(dir string) (found layer, ok bool) {
	for _, l := range layers {
		if matches([]string{l.dir}, dir) && len(l.dir) >= len(found.dir) {
			found, ok = l, true
		}
	}
	return found, ok
}

// matches reports whether path is one of the patterns or below one; a pattern that ends in "$" is that package alone.
func matches(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		exact, alone := strings.CutSuffix(pattern, "$")
		return path == exact || !alone && strings.HasPrefix(path, pattern+"/")
	})
}

// list returns every package of the module.
func list(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Deps,TestImports,XTestImports", module+"/...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list names %d packages; the rules would hold of nothing", len(all))
	}
	return all
}
