package iscsi_test

import (
	"fmt"
	"testing"

	"github.com/hawser-storage/hawser/blockdev/blocktest"
	"github.com/hawser-storage/hawser/blockdev/loop/sim"
	"github.com/hawser-storage/hawser/iscsi/target"
)

// bursts are the target's limits on a write: FirstBurstLength, MaxBurstLength, MaxRecvDataSegmentLength, and R2Ts at a time.
var bursts = []struct{ first, burst, segment, r2ts int }{
	{512, 512, 512, 1},
	{4096, 8192, 1024, 2},
	{16 << 10, 64 << 10, 8192, 4},
	{64 << 10, 256 << 10, 256 << 10, 1},
	{256 << 10, 16<<20 - 512, 64 << 10, 16},
}

// TestNegotiatedForms runs the conformance list over every form that a login can give a WRITE, and both that digests can give a PDU.
// Each runs in a world of its own seed, which cuts the streams at other places. The race detector, which makes this ten times as
// long and finds nothing in a world of one thread, gets one form in eight.
func TestNegotiatedForms(t *testing.T) {
	seed := uint64(0)
	for _, r2t := range []string{"Yes", "No"} {
		for _, immediate := range []string{"Yes", "No"} {
			for _, digest := range []string{"None", "CRC32C"} {
				for _, b := range bursts {
					seed++
					if raceEnabled && seed%8 != 1 {
						continue
					}
					name := fmt.Sprintf("InitialR2T=%s,ImmediateData=%s,digests=%s,burst=%d", r2t, immediate, digest, b.burst)
					t.Run(name, func(t *testing.T) {
						runForm(t, seed, b.burst, map[string]string{
							"InitialR2T": r2t, "ImmediateData": immediate, "HeaderDigest": digest, "DataDigest": digest,
							"FirstBurstLength": fmt.Sprint(b.first), "MaxBurstLength": fmt.Sprint(b.burst),
							"MaxRecvDataSegmentLength": fmt.Sprint(b.segment), "MaxOutstandingR2T": fmt.Sprint(b.r2ts),
						})
					})
				}
			}
		}
	}
}

func runForm(t *testing.T, seed uint64, burst int, force map[string]string) {
	blocktest.Run(t, func(t *testing.T) *blocktest.Fixture {
		w := sim.New(seed)
		t.Cleanup(func() {
			if err := w.Close(); err != nil && !t.Failed() {
				t.Error(err)
			}
		})
		f := lunFixture(t, w, target.Config{LUNs: []target.LUN{ram(8<<20, 512)}, Force: force}, nil)
		if burst <= 8192 { // a megabyte would be thousands of R2Ts
			f.MaxTransfer = 64 << 10
		}
		return f
	})
}
