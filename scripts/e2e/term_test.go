package e2e

import (
	"bytes"
	"os"
	"testing"
	"time"
)

// TestTermWithIOInFlight: told to end in the midst of I/O, hawser finishes what it has and exits with 0, and
// every write that it acknowledged is in the LUN.
func TestTermWithIOInFlight(t *testing.T) {
	g := startTGT(t)
	v := attach(t, g.portals, tgtIQN, 1)
	w, err := dialWriter(v.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer w.conn.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.run()
	}()
	for deadline := time.Now().Add(startTime); w.count() < 1000; {
		if time.Now().After(deadline) {
			t.Fatalf("only %d writes were acknowledged", w.count())
		}
		time.Sleep(time.Millisecond) // no event to wait for: the writer must not be slowed by one
	}
	v.detach(t)
	select {
	case <-ended:
	case <-time.After(startTime):
		t.Fatal("the client's connection is still open after hawser has ended")
	}
	if w.wrong != nil {
		t.Error(w.wrong)
	}
	w.check(t, g.lun)
	t.Logf("%d writes acknowledged; hawser said:\n%s", w.count(), v.proc.Stderr)
}

// check reads the acknowledged blocks where the target keeps them.
func (w *writer) check(t *testing.T, lun string) {
	t.Helper()
	f, err := os.Open(lun)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got := make([]byte, writerBlock)
	for _, n := range w.acked {
		if _, err := f.ReadAt(got, int64(n)*writerBlock); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, pattern(n)) {
			t.Fatalf("block %d was acknowledged and is not in the LUN: it begins with % x", n, got[:16])
		}
	}
}
