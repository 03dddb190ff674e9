//go:build vm

package device

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hawser-storage/hawser/blockdev/nbd/kernel"
)

// connected are the devices that the kernel has now.
func connected(t *testing.T) (all []string) {
	t.Helper()
	for _, c := range kernel.List() {
		all = append(all, fmt.Sprintf("/dev/nbd%d (%s)", c.Index, c.Backend))
	}
	return all
}

// uninterruptible are the processes that wait in the kernel and cannot be killed, after a moment in which they might have come to an end.
func uninterruptible() (all []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(b), ") ")
		if strings.HasPrefix(rest, "D") {
			all = append(all, string(b))
		}
	}
	return all
}
