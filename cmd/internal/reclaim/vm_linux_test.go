//go:build vm

// This test is for a process that is denied nothing: root in the VM of scripts/vm.
//
//	CGO_ENABLED=0 go test -tags vm -c -o /tmp/reclaim.test ./cmd/internal/reclaim
//	go run ./scripts/vm/cmd/vm -- /tmp/reclaim.test -test.v
package reclaim

import (
	"testing"

	"github.com/hawser-storage/hawser/cmd/internal/api"
)

// TestWithEverything: all of it is had, by the threads from the start and by a hundred later ones.
func TestWithEverything(t *testing.T) {
	p := run(t, nil)
	if want := (api.Memory{IOFlusher: true, Locked: true, OOMScore: never}); p.Memory != want {
		t.Errorf("got %+v; want %+v", p.Memory, want)
	}
	if p.Locked < p.Resident || p.Absent != 0 {
		t.Errorf("%d KiB are locked of %d that are resident, and %d bytes of the executable are absent", p.Locked, p.Resident, p.Absent)
	}
}
