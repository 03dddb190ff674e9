package boot

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/scripts/proc"
	"github.com/hawser-storage/hawser/scripts/vm"
)

// source is the clone's root.
const source = "../../.."

// luns is how many the storage has.
const luns = 3

// limit is for one VM and its script, on a machine that emulates its processor. It ends a hang.
const limit = 20 * time.Minute

var (
	//go:embed guest/prepare.sh
	prepare string
	//go:embed guest/common.sh
	common string
	//go:embed guest/first.sh
	first string
	//go:embed guest/second.sh
	second string
)

// A host is what is kept from one boot to the next.
type host struct {
	hawser string
	share  string // the LUNs, and in kept what is copied to the root
	source string
}

func TestBoot(t *testing.T) {
	if testing.Short() {
		t.Skip("it boots virtual machines, for minutes")
	}
	h := newHost(t)
	h.run(t, vm.Config{}, first)
	console := h.run(t, vm.Config{Init: vm.Systemd}, second)

	inOrder(t, console,
		"Unmounted srv.mount",
		"Stopped hawser-shutdown.service",
		"Stopped hawser.service",
		"Stopped storage.service",
	)
	inOrder(t, console,
		"Unmounted later.mount",
		"Stopped hawser-vg@data.service",
		"Stopped hawser-shutdown.service",
	)
	const lvm = 1 << 20 // where its data begins on a physical volume
	h.whole(t, "lun0", 0, "in /srv")
	h.whole(t, "lun1", 1<<20+lvm, "in /later") // in a partition
	h.whole(t, "lun2", lvm, "in /byhand")
}

func newHost(t *testing.T) *host {
	t.Helper()
	root, err := filepath.Abs(source)
	if err != nil {
		t.Fatal(err)
	}
	h := &host{hawser: filepath.Join(t.TempDir(), "hawser"), share: t.TempDir(), source: root}
	run(t, "env", "CGO_ENABLED=0", "go", "build", "-o", h.hawser, "../../../cmd/hawser")
	if err := os.Mkdir(filepath.Join(h.share, "kept"), 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range luns {
		lun := filepath.Join(h.share, fmt.Sprintf("lun%d", i))
		if err := os.WriteFile(lun, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(lun, 64<<20); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// run boots a VM, runs a script in it, and returns what was on the console.
func (h *host) run(t *testing.T, c vm.Config, script string) string {
	t.Helper()
	set := fmt.Sprintf("share=%s hawser=%s source=%s luns=\n", h.share, h.hawser, h.source)
	for i := range luns {
		set += fmt.Sprintf("luns=\"$luns --lun file:$share/lun%d,thin=off\"\n", i)
	}
	if c.Init == vm.Systemd {
		c.Prepare = set + prepare
	}
	c.Command = vm.Shell(set + common + script)
	c.Dir, c.Share, c.Timeout = h.source, []string{h.share}, limit
	c.Stdout, c.Stderr = t.Output(), t.Output()
	result, err := vm.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	console, err := os.ReadFile(result.Log)
	if err != nil {
		t.Fatal(err)
	}
	return string(console)
}

// inOrder checks that the console has said all of it, each after the one before.
func inOrder(t *testing.T, console string, said ...string) {
	t.Helper()
	rest := console
	for _, s := range said {
		_, after, ok := strings.Cut(rest, s)
		if !ok {
			t.Errorf("the console does not say %q at its place in %q:\n%s", s, said, console)
			return
		}
		rest = after
	}
}

// whole checks the file system at an offset of a LUN: it was unmounted, and has the file that was written last.
func (h *host) whole(t *testing.T, lun string, offset int, want string) {
	t.Helper()
	image := fmt.Sprintf("%s?offset=%d", filepath.Join(h.share, lun), offset)
	run(t, "e2fsck", "-f", "-n", image)
	if header := run(t, "dumpe2fs", "-h", image); !strings.Contains(header, "clean\n") || strings.Contains(header, "needs_recovery") {
		t.Errorf("%s was not unmounted:\n%s", lun, header)
	}
	if got := strings.TrimSpace(run(t, "debugfs", "-R", "cat /left", image)); got != want {
		t.Errorf("%s has %q; want %q", lun, got, want)
	}
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	out, err := proc.Run(ctx, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
