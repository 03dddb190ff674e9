package iscsi

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/blockdev/loop/sim"
	"github.com/hawser-storage/hawser/iscsi/login"
	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// bareConn is a connection without a socket: what the target sends is put into it by hand.
func bareConn(t *testing.T, w *sim.World) (*conn, *LUN) {
	t.Helper()
	s, err := NewSession(w.NewLoop(loop.Config{}), nil, Config{
		InitiatorName: "iqn.2026-11.io.hawser:test", TargetName: "iqn.2026-11.io.hawser:target",
		Portal: Portal{Host: "10.0.0.1", Port: DefaultPort}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	u, err := s.LUN(0)
	if err != nil {
		t.Fatal(err)
	}
	c := newConn(s, &login.Params{
		MaxBurstLength: 64 << 10, FirstBurstLength: 64 << 10, MaxXmitDataSegmentLength: 8 << 10,
		MaxRecvDataSegmentLength: 64 << 10, MaxOutstandingR2T: 1, InitialR2T: true, CmdSN: 1, ExpCmdSN: 1, MaxCmdSN: 8,
	})
	c.watch, c.dirty = &loop.Watch{}, true
	s.conn, s.state = c, Up
	return c, u
}

// sendWrite is a WRITE of n bytes whose command was taken.
func sendWrite(c *conn, u *LUN, n int) *task {
	t := c.s.takeTask(u)
	u.inFlight++
	t.dir, t.length, t.out.zero = dataOut, uint32(n), true
	t.req = &blockdev.Request{Op: blockdev.Write, Length: uint64(n)}
	c.emit(t)
	taken(c)
	return t
}

// taken pretends that the socket took all there is.
func taken(c *conn) {
	c.fill()
	c.tx.written = c.tx.queued
	c.tx.next = len(c.tx.pieces)
	c.tx.settle(c.unpin)
	c.tx.reset()
}

func ask(c *conn, t *task, sn pdu.Serial, off, n uint32) error {
	p := pdu.R2T{ITT: t.itt, TTT: 7, ExpCmdSN: 1, MaxCmdSN: 8, R2TSN: sn, BufferOffset: off, DesiredDataLength: n}
	var b pdu.BHS
	p.Encode(&b)
	if err := c.begin(&b); err != nil {
		return err
	}
	err := c.end()
	taken(c)
	return err
}

// TestGoodIsNotBelievedAfterAHole: bytes that were asked for twice do not stand for those never asked for.
func TestGoodIsNotBelievedAfterAHole(t *testing.T) {
	sim.Each(t, 1, func(t *testing.T, w *sim.World) {
		for name, second := range map[string]uint32{"twice": 0, "overlapping": 4096, "gap": 12288} {
			c, u := bareConn(t, w)
			task := sendWrite(c, u, 16384)
			n := min(uint32(8192), 16384-second)
			if err := errors.Join(ask(c, task, 0, 0, 8192), ask(c, task, 1, second, n)); err != nil {
				continue // refused: as good
			}
			if task.checkTransfer(residual{}) == nil {
				t.Errorf("%s: GOOD was believed", name)
			}
		}
		c, u := bareConn(t, w)
		task := sendWrite(c, u, 16384)
		if err := errors.Join(ask(c, task, 0, 0, 8192), ask(c, task, 1, 8192, 8192), task.checkTransfer(residual{})); err != nil {
			t.Errorf("in order: %v", err)
		}
	})
}

// TestEndlessR2TsAreRefused: a target cannot keep a WRITE alive for ever by asking for its data again and again.
func TestEndlessR2TsAreRefused(t *testing.T) {
	sim.Each(t, 1, func(t *testing.T, w *sim.World) {
		c, u := bareConn(t, w)
		task := sendWrite(c, u, 16384)
		for i := range 100 {
			if err := ask(c, task, pdu.Serial(i), 0, 8192); err != nil {
				return
			}
		}
		t.Error("a hundred R2Ts for the same bytes were served")
	})
}

// TestAnsweredButStuckIsNoticed: a command that was answered while its data is still queued waits for the socket. A target that takes
// nothing more, yet goes on talking, must not keep it for ever.
func TestAnsweredButStuckIsNoticed(t *testing.T) {
	sim.Each(t, 1, func(t *testing.T, w *sim.World) {
		c, u := bareConn(t, w)
		task := sendWrite(c, u, 8192)
		var done outcome
		task.req.Push(&done)
		if err := c.begin(r2tFor(task)); err != nil {
			t.Fatal(err)
		}
		if err := c.end(); err != nil {
			t.Fatal(err)
		}
		c.fill() // the data is queued, and stays there
		c.finish(task, &blockdev.Error{Outcome: blockdev.Failed})
		if done.n != 0 {
			t.Fatal("completed while its memory was queued")
		}
		c.s.state = Closing // or it would come back
		c.tick.Reset(c.s.tickInterval())
		if err := w.Do(func() {
			for n := 0; n < 180 && c.dead == nil; n++ {
				w.Sleep(time.Second)
				c.s.loop.Post(func() { c.heard = c.s.loop.Now() }) // something comes all the time
			}
		}); err != nil {
			t.Fatal(err)
		}
		if c.dead == nil || done.n != 1 || blockdev.AsError(done.err).Outcome != blockdev.Failed {
			t.Errorf("ended by %v, completed %d times with %v, want once with what the target said", c.dead, done.n, done.err)
		}
	})
}

func r2tFor(t *task) *pdu.BHS {
	p := pdu.R2T{ITT: t.itt, TTT: 7, ExpCmdSN: 1, MaxCmdSN: 8, DesiredDataLength: t.length}
	var b pdu.BHS
	p.Encode(&b)
	return &b
}

// outcome counts how often a request came back.
type outcome struct {
	n   int
	err error
}

func (o *outcome) Completed(_ *blockdev.Request, err error) { o.n, o.err = o.n+1, err }
