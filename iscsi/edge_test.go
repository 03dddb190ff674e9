package iscsi_test

import (
	"testing"

	"github.com/hawser-storage/hawser/blockdev/loop/sim"
	"github.com/hawser-storage/hawser/iscsi"
	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// TestPingWhileTheQueueIsFull: a target that asks whether we are there while our WRITEs wait for its socket gets its answer behind
// them, and the session stays.
func TestPingWhileTheQueueIsFull(t *testing.T) {
	sim.Each(t, 5, func(t *testing.T, w *sim.World) {
		oneLUN(t, w, nil, func(f *fixture) {
			f.w.Link(portalA).StallOneWay(sim.ToServer)
			var qs []*request
			for i := range 32 { // immediate data alone is more than the socket and the queue hold
				qs = append(qs, f.start(write(uint64(i)<<18, fill('x', 1<<18))))
			}
			f.w.Sleep(second)
			f.target.Faults().Ping(portalA)
			f.w.Sleep(second)
			f.w.Link(portalA).Up()
			for _, q := range qs {
				if q.wait(); q.err != nil {
					t.Errorf("%v: %v", &q.Request, q.err)
				}
			}
			if f.st.downs != 0 {
				t.Errorf("the session was given up: %v", f.st.err)
			}
		})
	})
}

// TestLogoutRequestsInARowAreSlowedDown: a target that sends us away after every login is not asked again without a pause.
func TestLogoutRequestsInARowAreSlowedDown(t *testing.T) {
	sim.Each(t, 10, func(t *testing.T, w *sim.World) {
		oneLUN(t, w, func(c *iscsi.Config) { c.RetryMin = 4 * second }, func(f *fixture) {
			began := f.w.Time()
			for range 4 {
				ups := f.st.ups
				f.target.Faults().Async(portalA, pdu.AsyncLogout, 0, 0, 5)
				f.st.await(func() bool { return f.st.up && f.st.ups > ups })
			}
			if d, least := f.w.Time().Sub(began), 3*(4+8+16)*second/4; d < least {
				t.Errorf("four logins took %v, want at least %v", d, least)
			}
		})
	})
}
