package login

import (
	"fmt"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// mirrored is what the other side must hold.
func mirrored(p *Params) *Params {
	m := *p
	m.MaxRecvDataSegmentLength, m.MaxXmitDataSegmentLength = p.MaxXmitDataSegmentLength, p.MaxRecvDataSegmentLength
	return &m
}

// Whatever is offered and forced, both sides come to the same outcome.
func TestBothSidesAgree(t *testing.T) {
	offers := map[string]func(*InitiatorConfig){
		"defaults":     func(*InitiatorConfig) {},
		"r2t":          func(c *InitiatorConfig) { c.InitialR2T = Yes },
		"no immediate": func(c *InitiatorConfig) { c.ImmediateData = No },
		"digests": func(c *InitiatorConfig) {
			c.HeaderDigest, c.DataDigest = []string{"CRC32C"}, []string{"CRC32C", "None"}
		},
		"small": func(c *InitiatorConfig) { c.MaxBurstLength, c.MaxRecvDataSegmentLength = 512, 512 },
		"alias": func(c *InitiatorConfig) { c.InitiatorAlias = "host" },
		"no digest": func(c *InitiatorConfig) {
			c.HeaderDigest, c.DataDigest = []string{"None", "CRC32C"}, []string{"None", "CRC32C"}
		},
		"discovery":     func(c *InitiatorConfig) { c.SessionType, c.TargetName = Discovery, "" },
		"split":         func(c *InitiatorConfig) { c.textSegment = 64 },
		"join":          func(c *InitiatorConfig) { c.TSIH = 7 },
		"time":          func(c *InitiatorConfig) { c.DefaultTime2Wait, c.DefaultTime2Retain = 3e9, 30e9 },
		"odd and small": func(c *InitiatorConfig) { c.MaxBurstLength, c.FirstBurstLength, c.MaxOutstandingR2T = 4097, 513, 1 },
	}
	forced := []map[string]string{
		{},
		{"InitialR2T": "Yes"},
		{"InitialR2T": "No", "ImmediateData": "No"},
		{"HeaderDigest": "CRC32C,None", "DataDigest": "None"},
		{"MaxBurstLength": "512"},
		{"MaxBurstLength": "0x400", "FirstBurstLength": "65536"},
		{"MaxOutstandingR2T": "1", "DefaultTime2Wait": "5", "DefaultTime2Retain": "10"},
		{"MaxConnections": "1", "ErrorRecoveryLevel": "0", "TaskReporting": "RFC3720", "iSCSIProtocolLevel": "1"},
	}
	for name, offer := range offers {
		for i, keys := range forced {
			for _, segment := range []int{0, 70} {
				t.Run(fmt.Sprintf("%s/%d/%d", name, i, segment), func(t *testing.T) {
					if name == "digests" && keys["DataDigest"] == "None" {
						keys = map[string]string{"DataDigest": "None"}
					}
					ic := testInitiatorConfig()
					offer(ic)
					tc := &TargetConfig{
						TargetAlias: "disk", PortalGroupTag: 3, Keys: keys, TextSegment: segment, StatSN: 0xffffffff,
						Session: func(r Request) (uint16, error) { return 7, nil },
					}
					got, want := mustPair(t, ic, tc)
					if d := cmp.Diff(got, mirrored(want)); d != "" {
						t.Errorf("initiator and target differ (-initiator +target):\n%s", d)
					}
				})
			}
		}
	}
}

// A counter sees the PDUs that go out of a connection.
type counter struct {
	net.Conn
	pdus    int
	longest int
}

func (c *counter) Write(p []byte) (int, error) {
	c.pdus++
	c.longest = max(c.longest, len(p)-pdu.BHSLen)
	return c.Conn.Write(p)
}

// Text that does not fit is split with the C bit, in either direction, and
// comes to the same outcome.
func TestContinuedText(t *testing.T) {
	whole, _ := mustPair(t, testInitiatorConfig(), &TargetConfig{})
	a, b := net.Pipe()
	defer a.Close()
	ours, theirs := &counter{Conn: a}, &counter{Conn: b}
	ic := testInitiatorConfig()
	ic.textSegment = 40
	done := make(chan error, 1)
	go func() {
		_, err := Accept(testContext(t), theirs, &TargetConfig{TextSegment: 32})
		done <- err
	}()
	split, err := Initiate(testContext(t), ours, ic)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	split.ExpStatSN = whole.ExpStatSN // there were more responses
	if d := cmp.Diff(split, whole); d != "" {
		t.Errorf("split and whole differ:\n%s", d)
	}
	if ours.longest != 40 || theirs.longest != 32 || ours.pdus < 20 || ours.pdus != theirs.pdus {
		t.Errorf("initiator: %d PDUs up to %d bytes; target: %d up to %d", ours.pdus, ours.longest, theirs.pdus, theirs.longest)
	}
}
