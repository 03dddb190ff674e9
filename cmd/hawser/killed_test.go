package main

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/cmd/internal/api"
	"github.com/hawser-storage/hawser/iscsi/target"
)

// TestKilled: what a killed process has left at the storage cannot undo what the next one writes, although it is reached by another path.
func TestKilled(t *testing.T) {
	tgt := newTestTarget(t, target.Config{LUNs: []target.LUN{ramLUN(testSize)}})
	lost := tgt.portals[0].String()
	p, socket := attach(t, tgt)
	hold := tgt.Faults().Add(target.Rule{Portal: lost, Ops: target.Writes, Hold: true, Survive: true})
	c := dial(t, socket)
	for hold.Holding() == 0 {
		w := startWrites(c, 1)[0]
		select {
		case <-w.done: // by the other path
		case <-time.After(10 * time.Millisecond):
		}
	}
	p.signal(syscall.SIGKILL)
	p.wantExit(-1)
	tgt.Faults().Down(lost, true)

	p, socket = attach(t, tgt)
	c = dial(t, socket)
	newer := bytes.Repeat([]byte{0xff}, testBlock)
	written := make(chan error, 1)
	go func() {
		_, err := c.WriteAt(newer, 0)
		written <- err
	}()
	for end := time.Now().Add(patience); ; {
		all := jsonOf[[]api.Volume](t, "list")
		if len(all) == 1 && all[0].Held == 1 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the write does not wait for the fence: %+v", all)
		}
	}
	tgt.Faults().Up(lost)
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	hold.Release()
	got := make([]byte, testBlock)
	if _, err := c.ReadAt(got, 0); err != nil || !bytes.Equal(got, newer) {
		t.Errorf("a write of the killed process has undone a newer one (%v)", err)
	}
	p.signal(syscall.SIGTERM)
	p.wantExit(exitDone)
	if left, err := os.ReadDir(filepath.Join(os.Getenv(stateVariable), "claims")); err != nil || len(left) != 0 {
		t.Errorf("claims are left: %v, %v", left, err)
	}
}
