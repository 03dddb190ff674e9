package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/scripts/proc"
	"github.com/hawser-storage/hawser/scripts/relay"
)

// TestPathsCut writes and verifies while each path in turn is cut and comes back, once by reset and once by
// silence. The client must see neither an error nor a byte that it did not write.
func TestPathsCut(t *testing.T) {
	phase, rounds := 4*time.Second, 1
	if long {
		phase, rounds = 20*time.Second, 15
	}
	v := attachTGT(t)
	fio := start(t, verifyJob(v.uri())...)
	v.awaitTraffic(t, fio)
	for range rounds {
		for _, mode := range []relay.Mode{relay.Reset, relay.Silent} {
			for i := range v.relays {
				v.share(t, fio, phase)
				v.relays[i].Cut(mode)
				v.outlasts(t, fio, i, phase)
				v.relays[i].Cut(relay.Open)
				v.awaitCarried(t, fio, i)
			}
		}
	}
	v.share(t, fio, phase)
	endJob(t, fio)
	v.detach(t)
	t.Logf("hawser's table:\n%s", v.proc.Stderr)
}

// endJob tells fio that it is enough, and looks whether its two jobs have seen no error. A signal makes fio's exit status 128.
func endJob(t *testing.T, fio *proc.Process) {
	t.Helper()
	if err := fio.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	err := fio.Wait(ctx)
	var exit *exec.ExitError
	if out := fio.Stdout.String(); !errors.As(err, &exit) || exit.ExitCode() != 128 || strings.Count(out, "err= 0") != 2 {
		t.Fatalf("fio: %v\n%s", err, out)
	}
}

// verifyJob writes blocks of all sizes at random places and reads each batch back, checksums compared. Beside
// it a reader goes on slowly: when a path breaks, writes that overlap one whose fate is unknown have to wait for
// the path to return, and with them, soon, all that the writer has in flight; reads do not.
func verifyJob(uri string) []string {
	return []string{
		"fio", "--ioengine=nbd", "--uri=" + uri, "--thread", fmt.Sprintf("--size=%d", lunSize),
		"--time_based", "--runtime=86400", // until it is told
		"--name=verify", "--rw=randrw", "--bssplit=512/20:4k/40:16k/15:64k/15:256k/6:1m/4", "--blockalign=512",
		"--iodepth=32", "--randseed=7", "--serialize_overlap=1",
		"--verify=crc32c", "--verify_fatal=1", "--verify_backlog=1024", "--verify_backlog_batch=256", "--verify_state_save=0",
		"--name=reader", "--rw=randread", "--bs=64k", "--iodepth=1", "--rate=8m",
	}
}

// carried returns the bytes that each path has carried, both ways, as the relays counted them.
func (v *volume) carried() (bytes [2]int64) {
	for i, r := range v.relays {
		sent, back := r.Carried()
		bytes[i] = sent + back
	}
	return bytes
}

// awaitTraffic waits until both paths carry data.
func (v *volume) awaitTraffic(t *testing.T, fio *proc.Process) {
	t.Helper()
	for i := range v.relays {
		v.awaitCarried(t, fio, i)
	}
}

// awaitCarried waits until a path has carried so much more that it must be data, not logins and pings.
func (v *volume) awaitCarried(t *testing.T, fio *proc.Process, path int) {
	t.Helper()
	const data = 1 << 20
	from := v.carried()[path]
	deadline := time.Now().Add(3 * time.Minute)
	for v.carried()[path] < from+data {
		v.goesOn(t, fio)
		if time.Now().After(deadline) {
			t.Fatalf("path %d carries no data", path)
		}
	}
}

// goesOn lets a moment pass in which neither fio nor hawser may end.
func (v *volume) goesOn(t *testing.T, fio *proc.Process) {
	t.Helper()
	select {
	case <-fio.Done():
		t.Fatalf("fio ended early: %v\n%s", fio.Wait(t.Context()), fio.Stdout)
	case <-v.proc.Done():
		t.Fatalf("hawser ended: %v", v.proc.Wait(t.Context()))
	case <-time.After(20 * time.Millisecond):
	}
}

// share lets a phase pass with both paths up, in which each is to carry its part.
func (v *volume) share(t *testing.T, fio *proc.Process, phase time.Duration) {
	t.Helper()
	before := v.carried()
	for end := time.Now().Add(phase); time.Now().Before(end); {
		v.goesOn(t, fio)
	}
	after := v.carried()
	a, b := after[0]-before[0], after[1]-before[1]
	part := 100 * float64(a) / float64(a+b)
	t.Logf("both paths up: %d MB, %.1f %% and %.1f %%", (a+b)/1e6, part, 100-part)
	if part < 40 || part > 60 {
		t.Errorf("path 0 carried %.1f %% while both were up, want 40 to 60", part)
	}
}

// outlasts lets a phase pass with one path cut, after which the other is to carry data.
func (v *volume) outlasts(t *testing.T, fio *proc.Process, cut int, phase time.Duration) {
	t.Helper()
	for end := time.Now().Add(phase); time.Now().Before(end); {
		v.goesOn(t, fio)
	}
	v.awaitCarried(t, fio, 1-cut)
}
