package mpio

import (
	"fmt"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
)

func senseError(key, asc, ascq uint8) *blockdev.Error {
	return &blockdev.Error{Outcome: blockdev.Failed, SCSI: blockdev.SCSIStatus{
		Valid: true, Status: statusCheck, HasSense: true, Key: key, ASC: asc, ASCQ: ascq,
	}}
}

func statusError(s uint8) *blockdev.Error {
	return &blockdev.Error{Outcome: blockdev.Failed, SCSI: blockdev.SCSIStatus{Valid: true, Status: s}}
}

func plainError(o blockdev.Outcome, c blockdev.Code) *blockdev.Error {
	return &blockdev.Error{Outcome: o, Code: c}
}

func deferredError() *blockdev.Error {
	e := senseError(keyMedium, 0x0C, 0)
	e.SCSI.Deferred = true
	return e
}

// samples have at least one error for each row of the table.
var samples = []struct {
	err      *blockdev.Error
	name     string
	action   Action
	failPath bool
	effect   Effect
}{
	{deferredError(), "deferred error", RetrySame, false, EffectLostWrite},
	{statusError(statusGood), "incomplete transfer", RetrySame, false, NoEffect},
	{statusError(statusConditionMet), "incomplete transfer", RetrySame, false, NoEffect},
	{senseError(keyNoSense, 0, 0), "recovered error", Accept, false, NoEffect},
	{senseError(keyRecovered, 0x17, 1), "recovered error", Accept, false, NoEffect},
	{statusError(statusBusy), "BUSY", RetryDelayed, false, NoEffect},
	{statusError(statusTaskSetFull), "TASK SET FULL", RetryDelayed, false, EffectDepth},
	{statusError(statusReservation), "RESERVATION CONFLICT", Fail, false, NoEffect},
	{statusError(statusTaskAborted), "TASK ABORTED", RetryDelayed, false, NoEffect},
	{statusError(statusACAActive), "ACA ACTIVE", RetryOther, true, NoEffect},
	{statusError(0x22), "unknown status", RetryOther, true, NoEffect},
	{senseError(keyAttention, 0x29, 0), "reset", RetrySame, false, EffectReset},
	{senseError(keyAttention, 0x29, 4), "reset", RetrySame, false, EffectReset},
	{senseError(keyAttention, 0x29, 7), "unit attention", RetrySame, false, NoEffect},
	{senseError(keyAttention, 0x2A, 1), "mode parameters changed", RetrySame, false, EffectMode},
	{senseError(keyAttention, 0x2A, 6), "access state changed", RetrySame, false, EffectALUA},
	{senseError(keyAttention, 0x2A, 7), "access state changed", RetrySame, false, EffectALUA},
	{senseError(keyAttention, 0x2A, 9), "capacity changed", RetrySame, false, EffectCapacity},
	{senseError(keyAttention, 0x3F, 3), "device or LUNs changed", RetrySame, false, EffectInventory},
	{senseError(keyAttention, 0x3F, 0xE), "device or LUNs changed", RetrySame, false, EffectInventory},
	{senseError(keyAttention, 0x38, 7), "thin provisioning threshold", RetrySame, false, EffectThin},
	{senseError(keyAttention, 0x28, 0), "unit attention", RetrySame, false, NoEffect},
	{senseError(keyNotReady, 4, 0xA), "in transition", RetryOther, false, EffectALUA},
	{senseError(keyNotReady, 4, 1), "becoming ready", RetryDelayed, false, NoEffect},
	{senseError(keyNotReady, 4, 4), "not ready for now", RetryDelayed, false, NoEffect},
	{senseError(keyNotReady, 4, 0x1D), "not ready for now", RetryDelayed, false, NoEffect},
	{senseError(keyNotReady, 4, 0xB), "standby, unavailable or offline", RetryOther, true, EffectALUA},
	{senseError(keyNotReady, 4, 0xC), "standby, unavailable or offline", RetryOther, true, EffectALUA},
	{senseError(keyNotReady, 4, 0x12), "standby, unavailable or offline", RetryOther, true, EffectALUA},
	{senseError(keyNotReady, 4, 2), "not ready", RetryOther, true, NoEffect},
	{senseError(keyNotReady, 0x3A, 0), "not ready", RetryOther, true, NoEffect},
	{senseError(keyMedium, 0x11, 0), "unrecovered read error", Fail, false, NoEffect},
	{senseError(keyMedium, 0x13, 0), "address mark not found", Fail, false, NoEffect},
	{senseError(keyMedium, 0x14, 1), "record not found", Fail, false, NoEffect},
	{senseError(keyMedium, 0x0C, 2), "medium error", RetrySame, false, NoEffect},
	{senseError(keyHardware, 0x44, 0), "hardware error", RetryOther, false, NoEffect},
	{senseError(keyIllegal, 0x20, 0), "operation not supported", Fail, false, EffectUnsupported},
	{senseError(keyIllegal, 0x21, 0), "beyond the end", Fail, false, EffectCapacity},
	{senseError(keyIllegal, 0x25, 0), "no such LUN", RetryOther, true, EffectInventory},
	{senseError(keyIllegal, 0x22, 0), "illegal request", Fail, false, NoEffect},
	{senseError(keyIllegal, 0x24, 0), "illegal request", Fail, false, NoEffect},
	{senseError(keyIllegal, 0x26, 0), "illegal request", Fail, false, NoEffect},
	{senseError(keyProtect, 0x27, 7), "out of space", Fail, false, NoEffect},
	{senseError(keyProtect, 0x27, 0), "write-protected", Fail, false, EffectReadOnly},
	{senseError(keyBlank, 0, 0), "blank check", Fail, false, NoEffect},
	{senseError(keyCopyAborted, 0, 0), "copy aborted", Fail, false, NoEffect},
	{senseError(keyOverflow, 0, 0), "volume overflow", Fail, false, NoEffect},
	{senseError(keyMiscompare, 0x1D, 0), "miscompare", Fail, false, NoEffect},
	{senseError(keyAborted, 0x47, 5), "damaged on the way", RetryDelayed, false, EffectMarginal},
	{senseError(keyAborted, 0x10, 1), "protection information", RetryOther, false, NoEffect},
	{senseError(keyAborted, 0x2E, 1), "duration limit", RetryOther, false, NoEffect},
	{senseError(keyAborted, 0, 0), "aborted command", RetryDelayed, false, NoEffect},
	{statusError(statusCheck), "CHECK CONDITION without sense", RetrySame, true, NoEffect},
	{senseError(0xF, 0, 0), "unknown sense key", RetryOther, false, NoEffect},
	{plainError(blockdev.NotSent, blockdev.CodeNoMemory), "out of buffers", RetryDelayed, false, NoEffect},
	{plainError(blockdev.NotSent, blockdev.CodeInvalid), "refused by the path", Fail, false, NoEffect},
	{plainError(blockdev.NotSent, blockdev.CodeTransport), "not sent", RetryOther, false, NoEffect},
	{plainError(blockdev.NotSent, blockdev.CodeShutdown), "not sent", RetryOther, false, NoEffect},
	{plainError(blockdev.Unknown, blockdev.CodeTransport), "outcome unknown", RetryOther, false, NoEffect},
	{plainError(blockdev.Unknown, blockdev.CodeTimeout), "outcome unknown", RetryOther, false, NoEffect},
	{plainError(blockdev.Unknown, blockdev.CodeIO), "outcome unknown", RetryOther, false, NoEffect},
	{plainError(blockdev.Failed, blockdev.CodeTimeout), "no answer in time", RetryOther, false, NoEffect},
	{plainError(blockdev.Failed, blockdev.CodeTransport), "way lost", RetryOther, false, NoEffect},
	{plainError(blockdev.Failed, blockdev.CodeIO), "target failure", RetryDelayed, false, NoEffect},
	{plainError(blockdev.Failed, blockdev.CodeNoMemory), "out of buffers", RetryDelayed, false, NoEffect},
	{plainError(blockdev.Failed, blockdev.CodeNoSpace), "refused by the device", Fail, false, NoEffect},
	{plainError(blockdev.Outcome(77), blockdev.Code(77)), "refused by the device", Fail, false, NoEffect},
}

func TestDispositions(t *testing.T) {
	reached := map[*disposition]bool{}
	for _, tt := range samples {
		row := dispose(tt.err)
		reached[row] = true
		if row.name != tt.name || row.action != tt.action || row.failPath != tt.failPath || row.effect != tt.effect {
			t.Errorf("%+v: got %q, %v, fail path %v, effect %d; want %q, %v, %v, %d",
				tt.err.SCSI, row.name, row.action, row.failPath, row.effect, tt.name, tt.action, tt.failPath, tt.effect)
		}
	}
	for i := range dispositions {
		if row := &dispositions[i]; !reached[row] {
			t.Errorf("row %d, %q: no sample reaches it", i, row.name)
		}
	}
}

// TestEveryRowEnds lets every path answer every request with one error for ever: the request must end in bounded time and tries, and
// only the rows that say so may touch the paths.
func TestEveryRowEnds(t *testing.T) {
	for i, tt := range samples {
		for _, op := range []blockdev.Op{blockdev.Read, blockdev.Write, blockdev.Flush} {
			t.Run(fmt.Sprintf("%d %s %s", i, tt.name, op), func(t *testing.T) {
				g := newRig(t, 3, Config{})
				g.wantOK(g.writeNow()) // something for FLUSH
				for _, p := range g.paths {
					p.answer = func(*blockdev.Request) error { return tt.err }
				}
				c := g.submit(op, 0, 512)
				g.advance(patience + DefaultNoPathRetry + time.Minute)
				if c.done != 1 {
					t.Fatalf("completed %d times, want once", c.done)
				}
				if c.err == nil && tt.action != Accept {
					t.Error("succeeded, want an error")
				}
				for i, p := range g.paths {
					if len(p.seen) > 500 {
						t.Errorf("%s was asked %d times", p.name, len(p.seen))
					}
					if g.dev.members[i].strikes > 0 && !tt.failPath {
						t.Errorf("%s was failed by a row that must not", p.name)
					}
				}
				g.wantIdle()
			})
		}
	}
}

// writeNow is a write that was carried out before it returns.
func (g *rig) writeNow() *call {
	c := g.write()
	g.settle()
	return c
}

// failOnce lets the next request fail, on whatever path.
func (g *rig) failOnce(err error) {
	for _, p := range g.paths {
		p.answer = func(*blockdev.Request) (e error) {
			e, err = err, nil
			return e
		}
	}
}

// TestEveryRowRecovers lets one path answer once with each error, and succeed from then on. What is worth a retry must succeed.
func TestEveryRowRecovers(t *testing.T) {
	for i, tt := range samples {
		t.Run(fmt.Sprintf("%d %s", i, tt.name), func(t *testing.T) {
			g := newRig(t, 2, Config{})
			g.failOnce(tt.err)
			c := g.write()
			g.advance(time.Minute)
			if failed := c.err != nil; failed != (tt.action == Fail) || c.done != 1 {
				t.Errorf("completed %d times with %v; the row's action is %v", c.done, c.err, tt.action)
			}
			g.wantIdle()
		})
	}
}

// TestFlushIsNotRetried checks that only answers which say nothing about the cache let a FLUSH be asked again.
func TestFlushIsNotRetried(t *testing.T) {
	for i, tt := range samples {
		row := dispose(tt.err)
		t.Run(fmt.Sprintf("%d %s", i, tt.name), func(t *testing.T) {
			g := newRig(t, 2, Config{})
			g.wantOK(g.writeNow())
			g.failOnce(tt.err)
			c := g.flush()
			g.advance(time.Minute)
			lost := row.effect == EffectLostWrite || row.effect == EffectReset
			mayRetry := tt.err.Outcome != blockdev.Failed || row.flushAgain
			if want := mayRetry && !lost && row.action != Fail; (c.err == nil) != want {
				t.Errorf("got %v, want success: %v", c.err, want)
			}
		})
	}
}

func TestMediumErrorFailsNoPath(t *testing.T) {
	g := newRig(t, 4, Config{})
	for _, p := range g.paths {
		p.answer = func(r *blockdev.Request) error {
			if r.Offset == 4096 {
				return senseError(keyMedium, 0x11, 0)
			}
			return nil
		}
	}
	for range 20 {
		bad, good := g.read(), g.submit(blockdev.Read, 0, 512)
		g.settle()
		g.want(bad, blockdev.CodeIO, blockdev.Failed)
		g.wantOK(good)
	}
	for _, s := range g.states() {
		if s != StateUp {
			t.Errorf("a path is %v after medium errors, want up", s)
		}
	}
}

func TestPause(t *testing.T) {
	p := pause{10 * time.Millisecond, 100 * time.Millisecond}
	for n, want := range []time.Duration{10, 10, 20, 40, 80, 100, 100} {
		want *= time.Millisecond
		if got := p.after(n, 0); got != want/2 {
			t.Errorf("retry %d: at least %v, want %v", n, got, want/2)
		}
		if got := p.after(n, 0.999999); got > want || got < want-time.Millisecond {
			t.Errorf("retry %d: at most %v, want %v", n, got, want)
		}
	}
	if got := busyPause.after(1<<30, 1); got > busyPause.most {
		t.Errorf("a very late retry waits %v", got)
	}
}
