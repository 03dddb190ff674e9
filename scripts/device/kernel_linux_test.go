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

// why is what may tell why nothing goes on: the volume, what waits in the kernel and where, and the requests that the devices have.
func (h *host) why() string {
	var b strings.Builder
	out, err := h.try("status")
	fmt.Fprintf(&b, "status: %v\n%s\n", err, out)
	for _, p := range uninterruptible() {
		pid, _, _ := strings.Cut(p, " ")
		stack, _ := os.ReadFile("/proc/" + pid + "/stack")
		fmt.Fprintf(&b, "%.40s\n%s\n", p, stack)
	}
	_ = os.MkdirAll("/sys/kernel/debug", 0o755)
	_, _ = h.tool("mount", "-t", "debugfs", "none", "/sys/kernel/debug") // it may be there
	files, _ := filepath.Glob("/sys/kernel/debug/block/nbd*/hctx*/busy")
	more, _ := filepath.Glob("/sys/kernel/debug/block/nbd*/hctx*/dispatch")
	requeued, _ := filepath.Glob("/sys/kernel/debug/block/nbd*/requeue_list")
	for _, f := range append(append(files, more...), requeued...) {
		if s, err := os.ReadFile(f); err == nil && len(s) > 0 {
			fmt.Fprintf(&b, "%s:\n%s\n", f, s)
		}
	}
	log, _ := h.tool("dmesg")
	lines := strings.Split(log, "\n")
	fmt.Fprintf(&b, "%s\n", strings.Join(lines[max(0, len(lines)-40):], "\n"))
	return b.String()
}
