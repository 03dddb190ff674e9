package gates

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var goFileName = regexp.MustCompile("`([a-z0-9_/]+\\.go)`")

// TestArchitectureNamesRealFiles: the way through the files is of use only while they are there. A name
// without a directory is in the directory named last before it.
func TestArchitectureNamesRealFiles(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir, names := "", 0
	for _, match := range goFileName.FindAllStringSubmatch(string(text), -1) {
		name := match[1]
		if strings.Contains(name, "/") {
			dir = filepath.Dir(name)
		} else {
			name = filepath.Join(dir, name)
		}
		names++
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			t.Errorf("ARCHITECTURE.md leads to a file that is not there: %v", err)
		}
	}
	if names < 20 {
		t.Errorf("only %d names of files were found", names)
	}
}
