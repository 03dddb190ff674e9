package iscsi_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/blockdev/blocktest"
	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/blockdev/loop/sim"
	"github.com/hawser-storage/hawser/iscsi"
	"github.com/hawser-storage/hawser/iscsi/login"
	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/iscsi/scsi"
	"github.com/hawser-storage/hawser/iscsi/target"
)

const block = 512

// fixture is one session with one RAM disk, up.
type fixture struct {
	*rig
	s  *iscsi.Session
	u  *iscsi.LUN
	st *state
}

// oneLUN runs fn as a task of a world where one LUN is up, and closes everything after it.
func oneLUN(t *testing.T, w *sim.World, change func(*iscsi.Config), fn func(f *fixture)) {
	t.Helper()
	r := newRig(t, w, target.Config{LUNs: []target.LUN{ram(8<<20, block)}})
	s := r.session(portalA, change)
	f := &fixture{rig: r, s: s, u: r.lun(s, 0)}
	f.st = r.watch(f.u)
	r.do(func() {
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		f.st.await(func() bool { return f.st.up })
		fn(f)
		f.target.Faults().Clear()
		if err := r.close(s); err != nil {
			t.Error(err)
		}
	})
}

// request is one I/O of a task.
type request struct {
	blockdev.Request
	gate loop.Gate
	got  []byte
	err  error
}

func (q *request) Completed(r *blockdev.Request, err error) {
	for _, s := range r.Data {
		if r.Op == blockdev.Read {
			q.got = append(q.got, s.Bytes...)
		}
	}
	q.err = err
	q.gate.Open()
}

// start submits a request and returns at once.
func (f *fixture) start(r blockdev.Request) *request {
	q := &request{Request: r, gate: f.w.NewGate()}
	f.loop.Post(func() {
		q.Push(q)
		f.u.Submit(&q.Request)
	})
	return q
}

func (q *request) wait() *request { q.gate.Wait(); return q }

func write(off uint64, data []byte) blockdev.Request {
	return blockdev.Request{Op: blockdev.Write, Offset: off, Length: uint64(len(data)), Data: []blockdev.Segment{blockdev.Own(data)}}
}

func read(off, n uint64) blockdev.Request {
	return blockdev.Request{Op: blockdev.Read, Offset: off, Length: n}
}

func fill(b byte, n int) []byte { return []byte(strings.Repeat(string(rune(b)), n)) }

// outcome fails the test unless q failed with the outcome.
func (f *fixture) outcome(q *request, want blockdev.Outcome) {
	f.t.Helper()
	var e *blockdev.Error
	if !errors.As(q.err, &e) || e.Outcome != want {
		f.t.Errorf("%v: got %v, want an error with %v", &q.Request, q.err, want)
	}
}

func TestConnectionLossTellsOutcomes(t *testing.T) {
	sim.Each(t, 30, func(t *testing.T, w *sim.World) {
		oneLUN(t, w, func(c *iscsi.Config) { c.CmdsMax = 2 }, func(f *fixture) {
			h := f.target.Faults().Add(target.Rule{LUNs: []int{0}, Ops: target.Writes, Hold: true})
			var qs []*request
			for i := range 4 { // two have slots and are held; two wait behind them
				qs = append(qs, f.start(write(uint64(i)*block, fill('x', block))))
			}
			for h.Holding() < 2 {
				f.w.Sleep(second / 100)
			}
			ups := f.st.ups
			f.w.Link(portalA).Reset()
			f.w.Link(portalA).Up()
			for i, q := range qs {
				f.outcome(q.wait(), map[bool]blockdev.Outcome{true: blockdev.Unknown, false: blockdev.NotSent}[i < 2])
			}
			f.outcome(f.start(read(0, block)).wait(), blockdev.NotSent)
			f.st.await(func() bool { return f.st.up && f.st.ups > ups })
			h.Release()
			if q := f.start(read(0, 4*block)).wait(); q.err != nil || string(q.got) != string(make([]byte, 4*block)) {
				t.Errorf("after the session was reinstated a held WRITE came through: %v", q.err)
			}
		})
	})
}

func TestSilenceIsNoticed(t *testing.T) {
	sim.Each(t, 20, func(t *testing.T, w *sim.World) {
		oneLUN(t, w, nil, func(f *fixture) {
			f.w.Link(portalA).Stall()
			began := f.w.Time()
			q := f.start(write(0, fill('x', block))).wait()
			f.outcome(q, blockdev.Unknown)
			if !errors.Is(q.err, iscsi.ErrSilent) {
				t.Errorf("got %v, want %v", q.err, iscsi.ErrSilent)
			}
			if d := f.w.Time().Sub(began); d < 9*second || d > 12*second {
				t.Errorf("noticed after %v, want noop_out_interval + noop_out_timeout (10s) and at most 2s more", d)
			}
			f.w.Link(portalA).Up()
			f.st.await(func() bool { return f.st.up })
		})
	})
}

// TestSlowIsNotSilent: a target that answers pings while a command takes its time is left alone until command_timeout, and then
// the command is aborted, and only that.
func TestSlowIsNotSilent(t *testing.T) {
	sim.Each(t, 10, func(t *testing.T, w *sim.World) {
		oneLUN(t, w, nil, func(f *fixture) {
			h := f.target.Faults().Add(target.Rule{LUNs: []int{0}, Ops: target.Writes, Hold: true, Survive: true, Count: 1})
			began := f.w.Time()
			q := f.start(write(0, fill('x', block))).wait()
			f.outcome(q, blockdev.Failed)
			if !errors.Is(q.err, iscsi.ErrAborted) {
				t.Errorf("got %v, want %v", q.err, iscsi.ErrAborted)
			}
			if d := f.w.Time().Sub(began); d < 30*second || d > 33*second {
				t.Errorf("aborted after %v, want command_timeout (30s) and at most 3s more", d)
			}
			h.Release()
			if f.st.downs != 0 {
				t.Errorf("the session was given up: %v", f.st.err)
			}
			if q := f.start(read(0, block)).wait(); q.err != nil || q.got[0] != 0 {
				t.Errorf("the aborted WRITE was carried out: %v", q.err)
			}
		})
	})
}

// TestAbortUnanswered: when even the abort is not answered the session goes, and with it the command.
func TestAbortUnanswered(t *testing.T) {
	sim.Each(t, 5, func(t *testing.T, w *sim.World) {
		oneLUN(t, w, nil, func(f *fixture) {
			f.target.Faults().Add(target.Rule{LUNs: []int{0}, Ops: target.Writes, Hold: true, Count: 1})
			f.target.Faults().LoseTaskMgmt(1)
			q := f.start(write(0, fill('x', block))).wait()
			f.outcome(q, blockdev.Unknown)
			f.st.await(func() bool { return f.st.up })
		})
	})
}

// TestHostileTarget: whatever the target sends, a READ gives the right bytes or an error, and the session recovers.
func TestHostileTarget(t *testing.T) {
	lies := map[string]target.Hostile{
		"WrongITT": target.WrongITT, "WrongOpcode": target.WrongOpcode, "DataBeyondEDTL": target.DataBeyondEDTL,
		"WrongDataOffset": target.WrongDataOffset, "WrongDataSN": target.WrongDataSN, "WrongStatSN": target.WrongStatSN,
		"WrongMaxCmdSN": target.WrongMaxCmdSN, "HugeLength": target.HugeLength, "R2TBeyondEnd": target.R2TBeyondEnd,
		"R2TWrongTTT": target.R2TWrongTTT, "R2TWrongSN": target.R2TWrongSN, "BadResidual": target.BadResidual, "NoFinal": target.NoFinal,
	}
	const n = 300 << 10 // more than FirstBurstLength, so that R2Ts come
	for name, lie := range lies {
		t.Run(name, func(t *testing.T) {
			sim.Each(t, 3, func(t *testing.T, w *sim.World) {
				oneLUN(t, w, nil, func(f *fixture) {
					if q := f.start(write(0, fill('a', n))).wait(); q.err != nil {
						t.Fatal(q.err)
					}
					f.target.Faults().SetShape(target.Shape{Sizes: []uint32{4096}})
					h := f.target.Faults().Add(target.Rule{LUNs: []int{0}, Ops: append(target.Reads, target.Writes...), Count: 2, Hostile: lie})
					q := f.start(read(0, n)).wait()
					if q.err == nil && string(q.got) != string(fill('a', n)) {
						t.Error("a READ without an error has other bytes")
					}
					f.st.await(func() bool { return f.st.up })
					f.start(write(0, fill('b', n))).wait()
					f.st.await(func() bool { return f.st.up })
					if h.Met() != 2 {
						t.Fatalf("the lie was told %d times, want 2", h.Met())
					}
					if q := f.start(write(0, fill('c', n))).wait(); q.err != nil {
						t.Errorf("the session did not recover: %v", q.err)
					}
					if q := f.start(read(0, n)).wait(); q.err != nil || string(q.got) != string(fill('c', n)) {
						t.Errorf("the session did not recover: %v", q.err)
					}
				})
			})
		})
	}
}

// TestGarbage injects bytes that are no PDU.
func TestGarbage(t *testing.T) {
	sim.Each(t, 40, func(t *testing.T, w *sim.World) {
		oneLUN(t, w, nil, func(f *fixture) {
			raw := make([]byte, 1+w.Rand().IntN(300))
			for i := range raw {
				raw[i] = byte(w.Rand().Uint32())
			}
			f.target.Faults().Inject(portalA, raw)
			q := f.start(read(0, 8*block)).wait()
			if q.err == nil && string(q.got) != string(make([]byte, 8*block)) {
				t.Error("a READ without an error has other bytes")
			}
		})
	})
}

func TestDataInForms(t *testing.T) {
	shapes := map[string]target.Shape{
		"status apart": {SeparateStatus: true},
		"odd PDUs":     {Sizes: []uint32{1, 511, 4097, 13}},
		"sequences":    {Sizes: []uint32{8192}, Sequence: 16384, SeparateStatus: true},
	}
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			sim.Each(t, 5, func(t *testing.T, w *sim.World) {
				oneLUN(t, w, nil, func(f *fixture) {
					f.target.Faults().SetShape(shape)
					if err := blocktest.Model(blocktest.NewDeviceFront(f.u, f.loop, f.arena), blocktest.ModelOptions{Seed: w.Seed(), Ops: 500}); err != nil {
						t.Error(err)
					}
				})
			})
		})
	}
}

func TestTargetPings(t *testing.T) {
	sim.Each(t, 5, func(t *testing.T, w *sim.World) {
		oneLUN(t, w, nil, func(f *fixture) {
			for range 3 {
				f.target.Faults().Ping(portalA)
				f.w.Sleep(second)
			}
			f.w.Sleep(60 * second) // and ours, when nothing else goes on
			if f.st.downs != 0 {
				t.Errorf("an idle session was lost: %v", f.st.err)
			}
		})
	})
}

// TestLogoutRequest: the target asks us to leave; what is in flight is finished first, and then we come back.
func TestLogoutRequest(t *testing.T) {
	sim.Each(t, 20, func(t *testing.T, w *sim.World) {
		oneLUN(t, w, nil, func(f *fixture) {
			var qs []*request
			for i := range 8 {
				qs = append(qs, f.start(write(uint64(i)*block, fill('x', block))))
			}
			ups := f.st.ups
			f.target.Faults().Async(portalA, pdu.AsyncLogout, 0, 0, 5)
			for _, q := range qs {
				q.wait()
				var e *blockdev.Error
				if errors.As(q.err, &e) && e.Outcome != blockdev.NotSent {
					t.Errorf("a logout cost a command that was in flight: %v", q.err)
				}
			}
			f.st.await(func() bool { return f.st.up && f.st.ups > ups })
		})
	})
}

func TestDropAnnounced(t *testing.T) {
	sim.Each(t, 5, func(t *testing.T, w *sim.World) {
		oneLUN(t, w, nil, func(f *fixture) {
			ups := f.st.ups
			f.target.Faults().Async(portalA, pdu.AsyncDropSession, 0, 0, 0)
			f.st.await(func() bool { return f.st.up && f.st.ups > ups })
		})
	})
}

func TestUnitAttentionIsPassedUpAndProbed(t *testing.T) {
	sim.Each(t, 5, func(t *testing.T, w *sim.World) {
		oneLUN(t, w, nil, func(f *fixture) {
			if !f.u.Info().WriteCache {
				t.Fatal("the cache is off to begin with")
			}
			ups := f.st.ups
			f.target.Faults().SetWriteCache(0, false)
			q := f.start(read(0, block)).wait()
			var e *blockdev.Error
			if !errors.As(q.err, &e) || e.Outcome != blockdev.Failed || scsi.SenseKey(e.SCSI.Key) != scsi.KeyUnitAttention {
				t.Errorf("got %v, want a unit attention", q.err)
			}
			f.st.await(func() bool { return f.st.ups > ups })
			if f.u.Info().WriteCache {
				t.Error("the change of the write cache went unnoticed")
			}
		})
	})
}

// TestPowerLossIsTold: after a login a target may say that it has been without power, which is not what every target says of a new session.
func TestPowerLossIsTold(t *testing.T) {
	sim.Each(t, 3, func(t *testing.T, w *sim.World) {
		oneLUN(t, w, nil, func(f *fixture) {
			if f.st.lost != 0 {
				t.Error("a first login is taken for a loss of power")
			}
			ups := f.st.ups
			f.target.Faults().PowerLoss(1)
			f.st.await(func() bool { return f.st.ups > ups })
			if f.st.lost != 1 {
				t.Errorf("told %d times", f.st.lost)
			}
			ups = f.st.ups
			f.target.Faults().Drop("", true)
			f.st.await(func() bool { return f.st.ups > ups })
			if f.st.lost != 1 {
				t.Errorf("a connection that was lost is taken for a loss of power: told %d times", f.st.lost)
			}
		})
	})
}

func TestLUNReset(t *testing.T) {
	sim.Each(t, 5, func(t *testing.T, w *sim.World) {
		oneLUN(t, w, nil, func(f *fixture) {
			if err := f.u.Reset(); err != nil {
				t.Error(err)
			}
		})
	})
}

func TestCloseDrains(t *testing.T) {
	sim.Each(t, 20, func(t *testing.T, w *sim.World) {
		oneLUN(t, w, nil, func(f *fixture) {
			var qs []*request
			for i := range 200 { // more than there are slots
				qs = append(qs, f.start(write(uint64(i)*block, fill('x', block))))
			}
			if err := f.s.Close(context.Background()); err != nil {
				t.Error(err)
			}
			for _, q := range qs {
				if q.wait(); q.err != nil {
					t.Errorf("a request that was in flight at Close: %v", q.err)
				}
			}
			q := f.start(read(0, block)).wait()
			f.outcome(q, blockdev.NotSent)
		})
	})
}

func TestPathErrors(t *testing.T) {
	for name, c := range map[string]struct {
		lun    int
		change func(*iscsi.Config)
		fault  func(*rig)
		want   string
		check  func(error) bool
	}{
		"refused": {
			fault: func(r *rig) { r.w.Link(portalA).Reset() },
			want:  "connection refused",
		},
		"silent": {
			fault: func(r *rig) { r.target.Faults().Stall(portalA) },
			want:  "login",
		},
		"wrong IQN": {
			change: func(c *iscsi.Config) { c.TargetName = "iqn.2026-11.io.hawser:other" },
			check: func(err error) bool {
				var e *login.Error
				return errors.As(err, &e) && e.Class == 2 && e.Detail == 3
			},
		},
		"LUN absent": {
			lun:   7,
			want:  "the target has 0",
			check: func(err error) bool { return errors.Is(err, iscsi.ErrNoLUN) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			sim.Each(t, 2, func(t *testing.T, w *sim.World) {
				r := newRig(t, w, target.Config{LUNs: []target.LUN{ram(8<<20, block)}})
				s := r.session(portalA, c.change)
				st := r.watch(r.lun(s, c.lun))
				r.do(func() {
					if c.fault != nil {
						w.Sleep(second) // the portals are open
						c.fault(r)
					}
					if err := s.Start(); err != nil {
						t.Fatal(err)
					}
					st.await(func() bool { return st.downs > 0 })
					if !strings.Contains(fmt.Sprint(st.err), c.want) || c.check != nil && !c.check(st.err) {
						t.Errorf("got %v, want an error with %q", st.err, c.want)
					}
					w.Link(portalA).Up()
					r.target.Faults().Up(portalA)
					if err := r.close(s); err != nil {
						t.Error(err)
					}
				})
			})
		})
	}
}

// TestSilenceWithAFullSocket: a target that takes nothing more leaves no room even for a ping. It is noticed all the same.
func TestSilenceWithAFullSocket(t *testing.T) {
	sim.Each(t, 10, func(t *testing.T, w *sim.World) {
		oneLUN(t, w, nil, func(f *fixture) {
			f.target.Faults().Stall(portalA)
			began := f.w.Time()
			var qs []*request
			for i := range 8 { // immediate data alone is more than the socket and the queue hold
				qs = append(qs, f.start(write(uint64(i)<<20, fill('x', 1<<20))))
			}
			for _, q := range qs {
				if q.wait(); !errors.Is(q.err, iscsi.ErrSilent) {
					t.Errorf("got %v, want %v", q.err, iscsi.ErrSilent)
				}
			}
			if d := f.w.Time().Sub(began); d > 12*second {
				t.Errorf("noticed after %v, want noop_out_interval + noop_out_timeout (10s) and at most 2s more", d)
			}
			f.target.Faults().Up(portalA)
			f.st.await(func() bool { return f.st.up })
		})
	})
}
