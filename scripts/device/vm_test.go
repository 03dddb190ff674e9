//go:build !vm

package device

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/scripts/proc"
	"github.com/hawser-storage/hawser/scripts/vm"
)

// A group is what one VM runs. The machine emulates its processor, so the limits are wide: they end a hang.
type group struct {
	name    string
	pkg     string // whose tests, with the tag vm; "" is this package
	run     string // which of them
	memory  int    // MiB
	minutes int
	alone   bool // no VM beside it: it is slow enough for requests to wait for almost as long as they may
}

var groups = []group{
	{name: "kernel", pkg: "../../blockdev/nbd/kernel", minutes: 10},
	{name: "reclaim", pkg: "../../cmd/internal/reclaim", minutes: 5},
	{name: "filesystem", run: "TestFileSystem", memory: 3072, minutes: 15},
	{name: "paths", run: "TestPaths", memory: 2048, minutes: 15},
	{name: "lio", run: "TestLIO", memory: 2048, minutes: 15},
	{name: "restart", run: "TestRestart|TestKilled", memory: 2048, minutes: 20},
	{name: "storage", run: "TestPowerLoss|TestStorageAlone|TestResize|TestReadOnly|TestPartitions", memory: 2048, minutes: 20},
	{name: "many", run: "TestManyLUNs", memory: 4096, minutes: 20},
	{name: "memory", run: "TestMemoryPressure", memory: 4096, minutes: 20, alone: true},
}

// TestInVM builds everything and runs each group.
func TestInVM(t *testing.T) {
	if testing.Short() {
		t.Skip("it boots virtual machines, for minutes")
	}
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil { // a test runs itself as nobody
			t.Fatal(err)
		}
	}
	hawser := filepath.Join(dir, "hawser")
	build(t, "build", "-o", hawser, "../../cmd/hawser")
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) { g.test(t, dir, hawser) })
	}
}

func (g *group) test(t *testing.T, dir, hawser string) {
	pkg := g.pkg
	if pkg == "" {
		pkg = "."
	}
	binary := filepath.Join(dir, filepath.Base(pkg)+".test")
	if _, err := os.Stat(binary); err != nil {
		build(t, "test", "-tags", "vm", "-c", "-o", binary, pkg)
	}
	run := g.run
	if only := os.Getenv("DEVICE_RUN"); only != "" {
		run = only
	}
	limit := time.Duration(g.minutes) * time.Minute
	_, err := vm.Run(t.Context(), vm.Config{
		Command: []string{binary, "-test.v", "-test.run", run, fmt.Sprintf("-test.timeout=%v", limit-30*time.Second)},
		Env:     []string{"HAWSER=" + hawser, "HAWSER_TEST_LONG=" + os.Getenv("HAWSER_TEST_LONG")},
		Share:   []string{dir},
		Dir:     pkg,
		Memory:  g.memory,
		Alone:   g.alone,
		Timeout: limit,
		Stdout:  t.Output(),
		Stderr:  t.Output(),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func build(t *testing.T, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	if _, err := proc.Run(ctx, "env", append([]string{"CGO_ENABLED=0", "go"}, args...)...); err != nil {
		t.Fatal(err)
	}
}
