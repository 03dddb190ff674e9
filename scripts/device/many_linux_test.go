//go:build vm

package device

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestManyLUNs attaches all LUNs of a target in parallel, each with a file system, and detaches them, twice. They share one connection for
// each path, and nothing is left of them.
func TestManyLUNs(t *testing.T) {
	luns := 32
	if os.Getenv("HAWSER_TEST_LONG") == "1" {
		luns = 128
	}
	specs := make([]string, luns)
	for i := range specs {
		specs[i] = "ram:8M"
	}
	h := newHost(t, specs...)
	files := func() int {
		all, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", h.daemon.Pid()))
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	before := 0
	for round := range 2 {
		devices := make([]string, luns)
		h.each(luns, func(i int) error {
			out, err := h.try("attach", fmt.Sprintf("iscsi://%s,%s/%s/%d", portals[0], portals[1], iqn, i))
			if words := strings.Fields(out); err == nil && len(words) > 1 {
				devices[i] = words[1]
			}
			return err
		})
		if got := len(h.list()); got != luns {
			t.Fatalf("%d volumes are listed, want %d", got, luns)
		}
		for _, p := range h.target.Snapshot().Portals {
			if p.Sessions != 1 || p.Logins != uint64(round)+1 {
				t.Errorf("%s has %d sessions after %d logins, for %d LUNs", p.Portal, p.Sessions, p.Logins, luns)
			}
		}
		h.each(luns, func(i int) error {
			dir := t.TempDir()
			for _, c := range [][]string{
				{"mkfs.ext4", "-q", "-F", devices[i]},
				{"mount", devices[i], dir},
				{"sh", "-c", fmt.Sprintf("seq %d %d >%s/f && sync -f %s && md5sum %s/f >%s/sum", i, 50000+i, dir, dir, dir, dir)},
				{"umount", dir},
				{"mount", devices[i], dir},
				{"md5sum", "--quiet", "-c", dir + "/sum"},
				{"umount", dir},
			} {
				if out, err := h.tool(c[0], c[1:]...); err != nil {
					return fmt.Errorf("%s: %w: %s", strings.Join(c, " "), err, out)
				}
			}
			return nil
		})
		h.each(luns, func(i int) error {
			_, err := h.try("detach", devices[i])
			return err
		})
		if left := connected(t); len(left) > 0 {
			t.Fatalf("devices are left: %v", left)
		}
		h.await("the logouts", func() bool {
			s := h.target.Snapshot().Portals
			return s[0].Sessions+s[1].Sessions == 0
		})
		if n := files(); round > 0 && n > before {
			t.Errorf("the daemon has %d files open, %d after the first round", n, before)
		} else {
			before = n
		}
	}
}

// each does something for each of n, a few at a time.
func (h *host) each(n int, do func(i int) error) {
	h.t.Helper()
	var wg sync.WaitGroup
	turn := make(chan struct{}, 16)
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() {
			turn <- struct{}{}
			errs[i] = do(i)
			<-turn
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			h.t.Errorf("%d: %v", i, err)
		}
	}
	if h.t.Failed() {
		h.t.FailNow()
	}
}
