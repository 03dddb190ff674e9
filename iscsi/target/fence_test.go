package target_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/iscsi/login"
	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/iscsi/target"
)

// A write that a worker is busy with cannot be called back. So what promises its end has to wait for it.

func fileRig(t *testing.T) *rig {
	return newRig(t, target.Config{}, "file:"+t.TempDir()+"/disk,size=1M")
}

// busy has a write at the worker.
func (r *rig) busy(t *testing.T, i *initiator) (*target.Gated, *pdu.SCSICommand) {
	t.Helper()
	g := r.GateWrites(0)
	c := i.command(0, writeCDB(0, 1), false, true, 512)
	i.sendWrite(c, pattern(1, 512))
	<-g.Entered
	return g, c
}

func TestAbortWaitsForTheWorker(t *testing.T) {
	r := fileRig(t)
	i := r.login(t, 0, nil)
	g, c := r.busy(t, i)
	i.taskMgmt(pdu.AbortTask, 0, c.ITT)
	i.ok(i.read(0, readCDB(8, 1), 512)) // it was sent later and comes first
	close(g.Gate)
	if got := i.taskMgmtResult(); got != pdu.TaskMgmtComplete {
		t.Errorf("%v", got)
	}
	if res := i.ok(i.read(0, readCDB(0, 1), 512)); allZero(res.data) {
		t.Error("the write is not there, although it was under way")
	}
	r.clean(t)
}

func TestReinstatementWaitsForTheWorker(t *testing.T) {
	r := fileRig(t)
	g, _ := r.busy(t, r.login(t, 0, nil))
	logins := make(chan *initiator)
	go func() {
		i, err := r.tryLogin(t, 0, nil)
		if err != nil {
			t.Error(err)
		}
		logins <- i
	}()
	eventually(t, "the end of the old session", func() bool { return r.Snapshot().Portals[0].Sessions == 0 })
	other := r.login(t, 1, nil)
	other.ok(other.read(0, readCDB(8, 1), 512))
	select {
	case <-logins:
		t.Error("the login was done before the old session's write")
	default:
	}
	close(g.Gate)
	i := <-logins
	i.ok(i.read(0, readCDB(8, 1), 512))
	r.clean(t)
}

func TestCloseWaitsForTheWorker(t *testing.T) {
	r := fileRig(t)
	g, _ := r.busy(t, r.login(t, 0, nil))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := r.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Close with a write under way: %v", err)
	}
	close(g.Gate)
}

func TestLoginViolation(t *testing.T) {
	r := newRig(t, target.Config{}, "null:1M")
	var refused bool
	_, err := r.tryLogin(t, 0, func(c *login.InitiatorConfig) { c.TargetName += "x" })
	_, refused = errors.AsType[*login.Error](err)
	if n, _ := r.Violations(); !refused || n != 0 {
		t.Errorf("a wrong name: %v, %d violations", err, n)
	}
	i := r.dial(t, 0)
	i.sendCommand(i.command(0, readCDB(0, 1), true, false, 512), nil)
	i.closed()
	eventually(t, "violation", func() bool { n, _ := r.Violations(); return n == 1 })
}

// TestFloodOfPings: an initiator that does not read is not read from, and loses nothing.
func TestFloodOfPings(t *testing.T) {
	r := newRig(t, target.Config{}, "null:1M")
	i := r.login(t, 0, nil)
	const count, size = 2000, 8192
	sent := make(chan error, 1)
	go func() {
		var frame []byte
		for n := range uint32(count) {
			var b pdu.BHS
			(&pdu.NOPOut{Immediate: true, ITT: n, TTT: pdu.ReservedTag, CmdSN: i.cmdSN, ExpStatSN: i.stat}).Encode(&b)
			frame = pdu.AppendFrame(frame[:0], &b, nil, make([]byte, size), false, false)
			if _, err := i.conn.Write(frame); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	stuck := uint64(0)
	eventually(t, "the stop", func() bool {
		was := stuck
		stuck = r.Snapshot().Portals[0].NOPOuts
		time.Sleep(20 * time.Millisecond)
		return was == stuck && stuck > 0
	})
	if stuck == count {
		t.Log("the sockets held all of it")
	}
	for n := range uint32(count) {
		b, data := i.recv()
		if pdu.ITTOf(b) != n || len(data) != size {
			t.Fatalf("answer %d: %v of task %d with %d bytes", n, pdu.OpcodeOf(b), pdu.ITTOf(b), len(data))
		}
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	r.clean(t)
}

// TestSlowReader has more to send than the socket takes, again and again.
func TestSlowReader(t *testing.T) {
	r := newRig(t, target.Config{Force: map[string]string{"DataDigest": "CRC32C"}}, "ram:8M")
	i := r.login(t, 0, func(c *login.InitiatorConfig) { c.DataDigest = []string{"CRC32C"} })
	data := pattern(1, 8<<20)
	i.ok(i.write(0, writeCDB(0, 16384), data))
	const count = 4
	total := 0
	for range count {
		i.sendCommand(i.command(0, readCDB(0, 16384), true, false, len(data)), nil)
	}
	for ended := 0; ended < count; {
		b, part := i.recv()
		var p pdu.DataIn
		i.must(p.Decode(b))
		if string(part) != string(data[p.BufferOffset:int(p.BufferOffset)+len(part)]) {
			t.Fatal("data of another place")
		}
		total += len(part)
		if p.HasStatus {
			ended++
		}
	}
	if total != count*len(data) {
		t.Errorf("%d bytes, want %d", total, count*len(data))
	}
	r.clean(t)
}
