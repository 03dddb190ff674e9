package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/cmd/internal/nbdclient"
	"github.com/hawser-storage/hawser/iscsi/target"
)

const testSize = 16 << 20

func TestAttachServesAndDetaches(t *testing.T) {
	tgt := newTestTarget(t, target.Config{LUNs: []target.LUN{ramLUN(testSize)}})
	p, socket := attach(t, tgt)
	if got, want := p.stdout.text(), fmt.Sprintf("ready nbd+unix:///?socket=%s size %d (16 MiB) paths 2/2", socket, testSize); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if fi, err := os.Stat(socket); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("socket: got %v, %v, want mode 0600", fi.Mode(), err)
	}
	p.stderr.wait(t, "all paths leave by the same interface")
	c := dial(t, socket)
	want := bytes.Repeat([]byte("hawser! "), 1024)
	if _, err := c.WriteAt(want, 4096); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if _, err := c.ReadAt(got, 4096); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("read something else than what was written")
	}
	p.signal(syscall.SIGTERM)
	p.wantExit(exitDone)
	if _, err := os.Stat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
	if table := p.stderr.text(); !regexp.MustCompile(`LUN 0 +up +1 +50\.0 %`).MatchString(table) {
		t.Errorf("no table of what each path carried:\n%s", table)
	}
}

func TestAttachListensOnTCP(t *testing.T) {
	tgt := newTestTarget(t, target.Config{LUNs: []target.LUN{ramLUN(testSize)}})
	p := start(t, "attach", "--foreground", "--initiator", testInitiator, "--listen", "127.0.0.1:0", tgt.url("0"))
	var port int
	if _, err := fmt.Sscanf(p.stdout.wait(t, "ready "), "ready nbd://127.0.0.1:%d", &port); err != nil {
		t.Fatal(err)
	}
	c, err := nbdclient.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port), "")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Export().Size; got != testSize {
		t.Errorf("size: got %d, want %d", got, testSize)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	p.signal(syscall.SIGINT)
	p.wantExit(exitDone)
}

func TestStatusOnSIGUSR1(t *testing.T) {
	tgt := newTestTarget(t, target.Config{LUNs: []target.LUN{ramLUN(testSize)}})
	p, _ := attach(t, tgt)
	p.signal(syscall.SIGUSR1)
	p.stderr.wait(t, "policy round_robin")
	p.stderr.wait(t, tgt.portals[1].String()+" "+tgt.IQN()+" LUN 0  up")
	p.signal(syscall.SIGTERM)
	p.wantExit(exitDone)
}

// TestOnePathIsEnough starts while one portal is dead, and takes it in when it lives.
func TestOnePathIsEnough(t *testing.T) {
	tgt := newTestTarget(t, target.Config{LUNs: []target.LUN{ramLUN(testSize)}})
	probe, _ := attach(t, tgt) // both portals are known to the target's faults from now on
	probe.signal(syscall.SIGTERM)
	probe.wantExit(exitDone)
	victim := tgt.portals[1].String()
	tgt.Faults().Down(victim, true)
	p, _ := attach(t, tgt)
	p.stdout.wait(t, "paths 1/2")
	tgt.Faults().Up(victim)
	p.stderr.wait(t, `path="`+victim+" "+tgt.IQN()+` LUN 0" from=down to=up`)
	p.signal(syscall.SIGTERM)
	p.wantExit(exitDone)
}

// write is a WRITE of one block that is on its way.
type write struct {
	block int
	done  chan error
}

const testBlock = 8 << 10

func content(block int) []byte {
	return bytes.Repeat(binary.BigEndian.AppendUint64(nil, uint64(block)+1), testBlock/8)
}

func startWrites(c *nbdclient.Client, n int) (writes []write) {
	for i := range n {
		w := write{i, make(chan error, 1)}
		writes = append(writes, w)
		go func() {
			_, err := c.WriteAt(content(i), int64(i)*testBlock)
			w.done <- err
		}()
	}
	return writes
}

// waitHolding returns when the target holds n commands. It asks the target's loop, again and again.
func waitHolding(t *testing.T, h *target.RuleHandle, n int) {
	t.Helper()
	for end := time.Now().Add(patience); h.Holding() < n; {
		if time.Now().After(end) {
			t.Fatalf("the target holds %d commands, want %d", h.Holding(), n)
		}
	}
}

// TestDrain ends the process while writes are at the target. They are finished and answered, and nothing acknowledged is lost.
func TestDrain(t *testing.T) {
	const inFlight = 16
	tgt := newTestTarget(t, target.Config{LUNs: []target.LUN{ramLUN(testSize)}})
	p, socket := attach(t, tgt)
	hold := tgt.Faults().Add(target.Rule{Ops: target.Writes, Hold: true})
	c := dial(t, socket)
	writes := startWrites(c, inFlight)
	waitHolding(t, hold, inFlight)
	p.signal(syscall.SIGTERM)
	p.stderr.wait(t, "draining")
	hold.Release()
	for _, w := range writes {
		if err := <-w.done; err != nil {
			t.Errorf("write %d: %v", w.block, err)
		}
	}
	p.wantExit(exitDone)

	p, socket = attach(t, tgt)
	again := dial(t, socket)
	got := make([]byte, testBlock)
	for _, w := range writes {
		if _, err := again.ReadAt(got, int64(w.block)*testBlock); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, content(w.block)) {
			t.Errorf("block %d was acknowledged and is lost", w.block)
		}
	}
	p.signal(syscall.SIGTERM)
	p.wantExit(exitDone)
}

// TestCannotDrain ends the process while the target keeps a write for ever.
func TestCannotDrain(t *testing.T) {
	tgt := newTestTarget(t, target.Config{LUNs: []target.LUN{ramLUN(testSize)}})
	p, socket := attach(t, tgt, "--drain-timeout", "300ms")
	hold := tgt.Faults().Add(target.Rule{Ops: target.Writes, Hold: true})
	c := dial(t, socket)
	const inFlight = 3
	writes := startWrites(c, inFlight)
	waitHolding(t, hold, inFlight)
	p.signal(syscall.SIGTERM)
	p.wantExit(exitFailed)
	for _, w := range writes {
		if err := <-w.done; err == nil {
			t.Errorf("write %d was acknowledged", w.block)
		}
	}
	line := p.stderr.wait(t, "hawser: ")
	for _, want := range []string{"closed with 3 requests unfinished", " 0+8192", " 8192+8192", " 16384+8192"} {
		if !strings.Contains(line, want) {
			t.Errorf("got %q, want %q in it", line, want)
		}
	}
}

// TestSilentTargetAtTheEnd has nothing to drain, and nobody who answers the logout.
func TestSilentTargetAtTheEnd(t *testing.T) {
	tgt := newTestTarget(t, target.Config{LUNs: []target.LUN{ramLUN(testSize)}})
	p, _ := attach(t, tgt)
	tgt.Faults().Stall("")
	p.signal(syscall.SIGTERM)
	p.wantExit(exitDone)
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	tgt := newTestTarget(t, target.Config{LUNs: []target.LUN{ramLUN(testSize)}})
	p, socket := attach(t, tgt)
	hold := tgt.Faults().Add(target.Rule{Ops: target.Writes, Hold: true})
	c := dial(t, socket)
	writes := startWrites(c, 1)
	waitHolding(t, hold, 1)
	p.signal(syscall.SIGTERM)
	p.stderr.wait(t, "draining")
	tick := time.NewTicker(atOnceAfter / 2) // those that come too early are taken for the first one's echo
	defer tick.Stop()
	for ended := false; !ended; {
		select {
		case status := <-p.status:
			p.status <- status
			ended = true
		case <-tick.C:
			_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may be over
		}
	}
	p.wantExit(exitFailed)
	p.stderr.wait(t, "second signal")
	if err := <-writes[0].done; err == nil {
		t.Error("the write was acknowledged")
	}
}

// TestEndBeforeReady is told to end while it still waits for a path.
func TestEndBeforeReady(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	p := start(t, "attach", "--foreground", "--initiator", testInitiator, "--socket", socketIn(t), "--log-level", "debug",
		"iscsi://"+ln.Addr().String()+"/"+target.DefaultIQN+"/0")
	nc, err := ln.Accept() // it logs in, and hears nothing
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	p.signal(syscall.SIGTERM)
	p.wantExit(exitDone)
}

func TestTargetServe(t *testing.T) {
	p := start(t, "target", "serve", "--listen", "127.0.0.1:0,127.0.0.2:0", "--lun", "ram:16M", "--lun", "null:4T,block=4096")
	line := p.stdout.wait(t, "ready ")
	m := regexp.MustCompile(`^ready (\S+) portals (127\.0\.0\.1:\d+,127\.0\.0\.2:\d+) luns 0=ram:16M 1=null:4T,block=4096$`).FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("got %q", line)
	}
	a := start(t, "attach", "--foreground", "--initiator", testInitiator, "--socket", socketIn(t), "iscsi://"+m[2]+"/"+m[1]+"/1")
	a.stdout.wait(t, "size 4398046511104 (4.0 TiB) paths 2/2")
	a.signal(syscall.SIGTERM)
	a.wantExit(exitDone)
	p.signal(syscall.SIGTERM)
	p.wantExit(exitDone)
	if s := p.stderr.text(); s != "" {
		t.Errorf("stderr: %s", s)
	}
}

func TestTargetPortInUse(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	status, _, stderr := command(t, "target", "serve", "--lun", "ram:1M", "--listen", ln.Addr().String())
	if status != exitFailed || !strings.Contains(stderr, "address already in use") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("got status %d, %q", status, stderr)
	}
}

// TestSocketIsSeenAndDetached: a volume on a socket is one that the other commands know.
func TestSocketIsSeenAndDetached(t *testing.T) {
	tgt := newTestTarget(t, target.Config{LUNs: []target.LUN{ramLUN(testSize)}})
	socket := socketIn(t)
	p := start(t, "attach", "--foreground", "--initiator", testInitiator, "--name", "seen", "--socket", socket, tgt.url("0"))
	p.stdout.wait(t, "ready ")
	status, stdout, stderr := command(t, "status", "seen")
	if status != exitDone || !strings.Contains(stdout, socket) || !strings.Contains(stdout, tgt.portals[1].String()) {
		t.Errorf("status: %d\n%s%s", status, stdout, stderr)
	}
	if status, _, stderr := command(t, "detach", "seen"); status != exitDone {
		t.Errorf("detach: %d, %s", status, stderr)
	}
	p.wantExit(exitDone)
	if status, _, _ := command(t, "status", "seen"); status != exitFailed {
		t.Errorf("status of a volume that is gone: %d", status)
	}
}
