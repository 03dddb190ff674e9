package iscsi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"syscall"
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
	c.watch = &loop.Watch{} // closed: there is nothing to flush to
	t.Cleanup(func() {
		c.dead = ErrShutdown
		s.retry.Stop()
	})
	s.conn, s.state = c, Up
	u.up = true
	u.info.Store(&blockdev.Info{Size: 1 << 30, BlockSize: 512})
	return c, u
}

// submit puts a request for n bytes on the connection.
func (c *conn) submit(u *LUN, op blockdev.Op, flags blockdev.Flags, n int) (*task, *answer) {
	t, a := c.s.takeTask(u), &answer{}
	t.req = &blockdev.Request{Op: op, Flags: flags, Length: uint64(n)}
	if op == blockdev.Write {
		t.req.Data = []blockdev.Segment{blockdev.Own(make([]byte, n))}
	}
	t.req.Push(a)
	u.inFlight++
	if err := u.build(t); err != nil {
		panic(err)
	}
	c.start(t)
	return t, a
}

func (c *conn) write(u *LUN, n int) (*task, *answer) { return c.submit(u, blockdev.Write, 0, n) }

// read puts a READ on the connection, and lets it be sent.
func (c *conn) read(u *LUN, n int) (*task, *answer) {
	t, a := c.submit(u, blockdev.Read, 0, n)
	c.sent()
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
	task, a := c.read(u, length)
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
	task, _ := c.read(u, 512)
	in := pdu.DataIn{ITT: task.itt, TTT: pdu.ReservedTag, ExpCmdSN: 2, MaxCmdSN: 1000}
	var b pdu.BHS
	in.Encode(&b)
	if err := c.header(&b); err == nil {
		t.Error("an empty Data-In without a status was accepted")
	}
}

// TestGoodForAShortREAD: bytes that did not come are not zeroes.
func TestGoodForAShortREAD(t *testing.T) {
	c, u := bare(t, nil)
	task, a := c.read(u, 1024)
	if err := c.answered(task, scsi.StatusGood, residual{}); err != nil {
		t.Fatal(err)
	}
	if !a.done || a.err == nil {
		t.Error("a READ succeeded without its data")
	}
}

// TestDataOutEndsWithItsCommand: once a command was answered nothing of it is sent, and its memory is not touched.
func TestDataOutEndsWithItsCommand(t *testing.T) {
	c, u := bare(t, func(p *login.Params) { p.InitialR2T = false })
	task, a := c.write(u, 64<<10)
	c.sent()
	if err := c.answered(task, scsi.StatusBusy, residual{}); err != nil {
		t.Fatal(err)
	}
	before := c.tx.queued
	if c.fill(); c.tx.queued != before || c.bursts.len() > 0 {
		t.Errorf("%d bytes were queued for a command that had ended", c.tx.queued-before)
	}
	if !a.done {
		t.Error("not completed")
	}
}

// TestOnlyAnAnswerThatProvesIt: an abort that was not carried out leaves the command as it is, and only the end of the session ends
// it.
func TestOnlyAnAnswerThatProvesIt(t *testing.T) {
	for result, want := range map[pdu.TaskMgmtResult]blockdev.Outcome{
		pdu.TaskMgmtComplete: blockdev.Failed, pdu.TaskMgmtNoTask: blockdev.Failed, pdu.TaskMgmtNoLUN: blockdev.Unknown,
		pdu.TaskMgmtNotSupported: blockdev.Unknown, pdu.TaskMgmtRejected: blockdev.Unknown, 77: blockdev.Unknown,
	} {
		c, u := bare(t, nil)
		task, a := c.write(u, 512)
		c.sent()
		c.abort(task)
		c.sent()
		p := pdu.TaskMgmtResponse{ITT: c.mgmt.open[0].itt, Response: result, StatSN: 1, ExpCmdSN: 2, MaxCmdSN: 1000}
		if err := c.onTaskMgmt(&p); err != nil {
			t.Fatal(err)
		}
		var e *blockdev.Error
		if !errors.As(a.err, &e) || e.Outcome != want {
			t.Errorf("ABORT TASK answered %v: got %v, want outcome %v", result, a.err, want)
		}
	}
}

// TestDigestsCatchEveryFlip: with both digests there is no bit of a PDU that may change unseen, wherever the reads cut it.
func TestDigestsCatchEveryFlip(t *testing.T) {
	data := []byte("thirteen byte")
	for bit := -1; bit < 8*(pdu.BHSLen+4+16+4); bit++ {
		c, u := bare(t, func(p *login.Params) { p.HeaderDigest, p.DataDigest = true, true })
		task, _ := c.read(u, 512)
		in := pdu.DataIn{
			ITT: task.itt, TTT: pdu.ReservedTag, DataSegmentLength: uint32(len(data)), ExpCmdSN: 2, MaxCmdSN: 1000,
		}
		var b pdu.BHS
		in.Encode(&b)
		frame := pdu.AppendFrame(nil, &b, nil, data, true, true)
		if bit >= 0 {
			frame[bit/8] ^= 1 << (bit % 8)
		}
		ch := c.s.arena.Get(nil)
		copy(ch.Bytes, frame)
		cut := (bit + 1) % len(frame)
		err := c.parseChunk(ch, 0, cut)
		if err == nil {
			err = c.parseChunk(ch, cut, len(frame))
		}
		if unseen := err == nil && !c.rx.inData && c.rx.have == 0; unseen != (bit < 0) {
			t.Errorf("bit %d flipped: got %v", bit, err)
		}
		c.finish(task, task.lostError(ErrClosed))
		ch.Drop()
	}
}

// TestFUAIsOnStableStorage: a request with FUA completes after its own command where the unit does it itself, or has no cache, and
// else only after a SYNCHRONIZE CACHE.
func TestFUAIsOnStableStorage(t *testing.T) {
	for _, tc := range []struct {
		op         blockdev.Op
		cache, fua bool
		bit, sync  bool
	}{
		{op: blockdev.Write, cache: true, fua: true, bit: true},
		{op: blockdev.Write, cache: true, sync: true},
		{op: blockdev.Write, fua: true},
		{op: blockdev.WriteZeroes, cache: true, fua: true, sync: true},
		{op: blockdev.WriteZeroes},
	} {
		c, u := bare(t, nil)
		u.info.Store(&blockdev.Info{Size: 1 << 30, BlockSize: 512, WriteCache: tc.cache, FUA: tc.fua})
		task, a := c.submit(u, tc.op, blockdev.FlagFUA, 512)
		if bit := task.cdb[1]&8 != 0; tc.op == blockdev.Write && bit != tc.bit {
			t.Errorf("%+v: the FUA bit is %v", tc, bit)
		}
		c.sent()
		if err := c.answered(task, scsi.StatusGood, residual{}); err != nil {
			t.Fatal(err)
		}
		if a.done == tc.sync {
			t.Errorf("%+v: completed after its first command: %v", tc, a.done)
		}
		if !tc.sync {
			continue
		}
		if op := scsi.OpcodeOf(&task.cdb); op != scsi.OpSynchronizeCache16 {
			t.Errorf("%+v: followed by %v", tc, op)
		}
		c.sent()
		if err := c.answered(task, scsi.StatusGood, residual{}); err != nil {
			t.Fatal(err)
		}
		if !a.done || a.err != nil {
			t.Errorf("%+v: after the cache: completed %v, %v", tc, a.done, a.err)
		}
	}
}

// TestAFailureIsAReset: what is still in the socket's queue when a connection is given up must never arrive. Only after a logout there
// is nothing left to take back.
func TestAFailureIsAReset(t *testing.T) {
	for loggedOut, want := range map[bool]error{false: syscall.ECONNRESET, true: io.EOF} {
		c, _ := bare(t, nil)
		c.loggedOut = loggedOut
		w := c.s.loop.Env().(*sim.World)
		ln, err := w.Listen("10.0.0.1:3260")
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Do(func() {
			near, err := w.Dial(context.Background(), "", "10.0.0.1:3260")
			if err != nil {
				t.Fatal(err)
			}
			far, err := ln.Accept()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.s.loop.Await(func(done func()) {
				if c.watch, err = c.s.loop.Adopt(near, c); err == nil {
					c.fail(ErrSilent)
				}
				c.s.retry.Stop()
				done()
			}); err != nil {
				t.Error(err)
			}
			if _, err := far.Read(make([]byte, 1)); !errors.Is(err, want) {
				t.Errorf("logged out %v: the target reads %v, want %v", loggedOut, err, want)
			}
			_ = far.Close()
			_ = ln.Close()
		}); err != nil {
			t.Error(err)
		}
	}
}
