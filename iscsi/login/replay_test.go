package login

import (
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// The files of testdata are what real peers sent in a login, as hex dumps: tgt
// 1.0.85 to an initiator with testInitiatorConfig, and libiscsi's tools to a
// target with an empty TargetConfig. Each PDU follows from its predecessors'
// outcome only, so they can be replayed without the peer.

func recording(t *testing.T, name string) *canned {
	t.Helper()
	dump, err := os.ReadFile(filepath.Join("testdata", name+".hex"))
	if err != nil {
		t.Fatal(err)
	}
	var flow []byte
	for line := range strings.Lines(string(dump)) {
		if len(line) < 60 {
			continue // the last line, the length
		}
		b, err := hex.DecodeString(strings.ReplaceAll(line[8:58], " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		flow = append(flow, b...)
	}
	return newCanned(flow)
}

func TestReplayTgt(t *testing.T) {
	defaults := &Params{
		InitiatorName: testInitiator, TargetName: testTarget, ISID: testInitiatorConfig().ISID,
		TargetPortalGroupTag: 1, HasPortalGroup: true, MaxRecvDataSegmentLength: 262144, MaxXmitDataSegmentLength: 8192,
		InitialR2T: true, ImmediateData: true, FirstBurstLength: 65536, MaxBurstLength: 262144, MaxOutstandingR2T: 1,
		DataPDUInOrder: true, DataSequenceInOrder: true, DefaultTime2Wait: 2 * time.Second, MaxConnections: 1,
		CmdSN: 1, ExpStatSN: 2, ExpCmdSN: 1, MaxCmdSN: 2,
	}
	// tgt was told MaxBurstLength=1024 and FirstBurstLength=2048, and says so.
	forced := *defaults
	forced.HeaderDigest, forced.DataDigest, forced.ImmediateData = true, true, false
	forced.MaxBurstLength, forced.FirstBurstLength = 1024, 1024
	for name, want := range map[string]*Params{"tgt-defaults": defaults, "tgt-forced": &forced} {
		conn := recording(t, name)
		got, err := Initiate(t.Context(), conn, testInitiatorConfig())
		if d := cmp.Diff(got, want, cmpopts.IgnoreFields(Params{}, "TSIH")); err != nil || d != "" {
			t.Errorf("%s: %v (-got +want):\n%s", name, err, d)
		}
		if conn.in.Len() > 0 {
			t.Errorf("%s: %d bytes were not read", name, conn.in.Len())
		}
	}
	_, err := Initiate(t.Context(), recording(t, "tgt-wants-chap"), testInitiatorConfig())
	if e, ok := errors.AsType[*Error](err); !ok || e.Status() != pdu.LoginAuthenticationFailed {
		t.Errorf("tgt-wants-chap: got %v", err)
	}
}

func TestReplayLibiscsi(t *testing.T) {
	for name, want := range map[string]Params{
		"libiscsi-normal":    {TargetName: testTarget, FirstBurstLength: 262144, HasPortalGroup: true},
		"libiscsi-user":      {TargetName: testTarget, FirstBurstLength: 262144, HasPortalGroup: true},
		"libiscsi-discovery": {SessionType: Discovery, FirstBurstLength: 65536, InitialR2T: true},
	} {
		conn := recording(t, name)
		got, err := Accept(t.Context(), conn, &TargetConfig{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff(&Params{
			TargetName: got.TargetName, SessionType: got.SessionType, FirstBurstLength: got.FirstBurstLength,
			InitialR2T: got.InitialR2T, HasPortalGroup: got.HasPortalGroup,
		}, &want); d != "" {
			t.Errorf("%s (-got +want):\n%s", name, d)
		}
		if got.MaxXmitDataSegmentLength != 262144 || conn.in.Len() > 0 {
			t.Errorf("%s: %d bytes were not read; outcome %+v", name, conn.in.Len(), got)
		}
	}
}
