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
	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// bare is a connection without a socket: what it would send stays in its queue, and the test says what the target answers.
func bare(t *testing.T, change func(*login.Params)) (*conn, *LUN) {
	t.Helper()
	w := sim.New(1)
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	arena, err := blockdev.NewArena(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := arena.Close(); err != nil {
			t.Error(err)
		}
	})
	s, err := NewSession(w.NewLoop(loop.Config{}), arena, Config{
		InitiatorName: "iqn.2026-11.io.hawser:test", TargetName: "iqn.2026-11.io.hawser:target",
		Portal: Portal{Host: "10.0.0.1", Port: 3260}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	u, err := s.LUN(0)
	if err != nil {
		t.Fatal(err)
	}
	p := &login.Params{
		MaxRecvDataSegmentLength: 256 << 10, MaxXmitDataSegmentLength: 8 << 10, FirstBurstLength: 64 << 10, MaxBurstLength: 256 << 10,
		InitialR2T: true, ImmediateData: true, MaxOutstandingR2T: 1, ErrorRecoveryLevel: 0,
		CmdSN: 1, ExpStatSN: 1, ExpCmdSN: 1, MaxCmdSN: 1000,
	}
	if change != nil {
		change(p)
	}
	c := newConn(s, p)
	t.Cleanup(func() { c.dead = ErrShutdown }) // there is no socket to flush to
	s.conn, s.state = c, Up
	u.up = true
	u.info.Store(&blockdev.Info{Size: 1 << 30, BlockSize: 512})
	return c, u
}

// write puts a WRITE of n bytes on the connection.
func (c *conn) write(u *LUN, n int) (*task, *answer) {
	data := make([]byte, n)
	t := c.s.takeTask(u)
	t.req = &blockdev.Request{Op: blockdev.Write, Length: uint64(n), Data: []blockdev.Segment{blockdev.Own(data)}}
	a := &answer{}
	t.req.Push(a)
	u.inFlight++
	if err := u.build(t); err != nil {
		panic(err)
	}
	c.start(t)
	return t, a
}

// answer is how a request came back.
type answer struct {
	done bool
	err  error
}

func (a *answer) Completed(_ *blockdev.Request, err error) { a.done, a.err = true, err }

// sent lets the socket have taken everything.
func (c *conn) sent() {
	c.tx.written = c.tx.queued
	c.tx.settle(c.unpin)
}

// TestOnlyCheckConditionHasSense: sense data that means no harm does not make a command that was turned away a success.
func TestOnlyCheckConditionHasSense(t *testing.T) {
	noSense := []byte{0, 18, 0x70, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	for status, want := range map[scsi.Status]bool{
		scsi.StatusCheckCondition: true, scsi.StatusBusy: false, scsi.StatusTaskSetFull: false, scsi.StatusReservationConflict: false,
		scsi.StatusTaskAborted: false,
	} {
		c, u := bare(t, nil)
		task, a := c.write(u, 512)
		c.sent()
		c.rx.control = append(c.rx.control, noSense...)
		if err := c.answered(task, status, residual{}); err != nil {
			t.Fatal(err)
		}
		if good := a.done && a.err == nil; good != want {
			t.Errorf("a WRITE answered %v without a fault in its sense: got %v, want success %v", status, a.err, want)
		}
	}
}

// TestGoodBeforeItsData: a WRITE is acknowledged only when the target has been given every byte of it.
func TestGoodBeforeItsData(t *testing.T) {
	c, u := bare(t, nil)
	task, a := c.write(u, 20<<10) // 8 KiB go with the command; no R2T asks for the others
	c.sent()
	if err := c.answered(task, scsi.StatusGood, residual{}); err != nil {
		t.Fatal(err)
	}
	var e *blockdev.Error
	if !errors.As(a.err, &e) || e.Outcome != blockdev.Failed {
		t.Errorf("GOOD for a WRITE of which the target has not asked for everything: got %v, want an error", a.err)
	}
}

// TestGoodBeforeItWasSent: nothing that is still in our queue can have been carried out.
func TestGoodBeforeItWasSent(t *testing.T) {
	c, u := bare(t, nil)
	task, a := c.write(u, 4<<10)
	if err := c.answered(task, scsi.StatusGood, residual{}); err != nil {
		t.Fatal(err)
	}
	if c.sent(); !a.done || a.err == nil {
		t.Error("a WRITE was acknowledged before it was sent")
	}
}

// TestR2TBesideUnsolicitedData: what is sent unasked is not an outstanding R2T (RFC 7143, section 13.17).
func TestR2TBesideUnsolicitedData(t *testing.T) {
	c, u := bare(t, func(p *login.Params) { p.InitialR2T = false })
	task, _ := c.write(u, 128<<10) // 64 KiB of it unasked
	var b pdu.BHS
	r2t := pdu.R2T{
		LUN: u.wire, ITT: task.itt, TTT: 7, StatSN: 1, ExpCmdSN: 2, MaxCmdSN: 1000, BufferOffset: 64 << 10, DesiredDataLength: 64 << 10,
	}
	r2t.Encode(&b)
	if err := c.header(&b); err != nil {
		t.Error(err)
	}
	r2t.R2TSN = 1
	r2t.Encode(&b)
	if err := c.header(&b); err == nil {
		t.Error("a second R2T at a time was accepted")
	}
}

// TestControlFindsRoom: what must be sent is sent although the queue is full of other things.
func TestControlFindsRoom(t *testing.T) {
	c, u := bare(t, nil)
	for c.tx.room() {
		c.sendNOP(&pdu.NOPOut{Immediate: true, ITT: pdu.ReservedTag, TTT: 1})
	}
	before := c.tx.queued
	c.leave(ErrLoggedOut, time.Second)
	if c.logoutITT == pdu.ReservedTag || c.tx.queued != before+pdu.BHSLen {
		t.Errorf("%d bytes were queued for a Logout Request, want %d", c.tx.queued-before, pdu.BHSLen)
	}
	task := c.s.takeTask(u)
	c.tasks.add(task)
	task.sent, task.queued = true, true
	c.checkTasks(c.s.loop.Now().Add(c.s.cfg.CommandTimeout))
	if !task.aborting {
		t.Error("a full queue keeps a command from being aborted")
	}
	var got uint64
	for _, p := range c.tx.pieces {
		got += uint64(len(p))
	}
	if got != c.tx.queued {
		t.Errorf("%d bytes in the queue, %d are counted", got, c.tx.queued)
	}
}

// TestNoLogoutOverPinnedTasks: a command is in flight until its memory is free.
func TestNoLogoutOverPinnedTasks(t *testing.T) {
	c, u := bare(t, nil)
	task, a := c.write(u, 512)
	c.finish(task, &blockdev.Error{Outcome: blockdev.Failed})
	c.s.setState(Closing, ErrShutdown)
	c.s.checkIdle()
	if c.logoutITT != pdu.ReservedTag {
		t.Error("logged out while a task is pinned")
	}
	if a.done {
		t.Error("completed while its memory was still to be sent")
	}
	if c.sent(); !a.done || c.logoutITT == pdu.ReservedTag {
		t.Error("not logged out when the last task was gone")
	}
}

// TestDataInInCrumbs: what a READ costs is bounded by its length, and not by the number of PDUs that the target makes of it.
func TestDataInInCrumbs(t *testing.T) {
	const length = 64 << 10
	c, u := bare(t, nil)
	task := c.s.takeTask(u)
	task.req = &blockdev.Request{Op: blockdev.Read, Length: length}
	a := &answer{}
	task.req.Push(a)
	u.inFlight++
	if err := u.build(task); err != nil {
		t.Fatal(err)
	}
	c.start(task)
	c.sent()
	ch := c.s.arena.Get(nil)
	defer ch.Drop()
	var err error
	for i := uint32(0); i < length && err == nil; i++ {
		in := pdu.DataIn{
			ITT: task.itt, TTT: pdu.ReservedTag, DataSegmentLength: 1, BufferOffset: i, DataSN: pdu.Serial(i), ExpCmdSN: 2, MaxCmdSN: 1000,
		}
		var b pdu.BHS
		in.Encode(&b)
		if err = c.header(&b); err == nil {
			err = c.parseChunk(ch, 0, 4) // the byte and its padding
		}
	}
	var broken *ProtocolError
	if n := len(task.req.Data); !errors.As(err, &broken) || n > 1000 {
		t.Errorf("%d bytes in %d pieces: got %v, want a ProtocolError", length, n, err)
	}
	c.finish(task, task.lostError(err))
	if !a.done || c.expected != 0 {
		t.Errorf("completed: %v, %d bytes are still expected", a.done, c.expected)
	}
}

// TestEmptyDataIn: a target that sends nothing, again and again, does not keep a command alive.
func TestEmptyDataIn(t *testing.T) {
	c, u := bare(t, nil)
	task := c.s.takeTask(u)
	task.req, task.dir, task.length = &blockdev.Request{Op: blockdev.Read, Length: 512}, dataIn, 512
	c.start(task)
	in := pdu.DataIn{ITT: task.itt, TTT: pdu.ReservedTag, ExpCmdSN: 2, MaxCmdSN: 1000}
	var b pdu.BHS
	in.Encode(&b)
	if err := c.header(&b); err == nil {
		t.Error("an empty Data-In without a status was accepted")
	}
}
