package login

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// lines makes login text of key=value words.
func lines(words ...string) string {
	var b strings.Builder
	for _, w := range words {
		b.WriteString(w)
		b.WriteByte(0)
	}
	return b.String()
}

// A reply is one Login Response of a puppet target; raw, if set, is sent in its
// stead.
type reply struct {
	pdu.LoginResponse
	text string
	raw  []byte
}

func (r *reply) bytes() []byte {
	if r.raw != nil {
		return r.raw
	}
	var bhs pdu.BHS
	r.Encode(&bhs)
	return pdu.AppendFrame(nil, &bhs, nil, []byte(r.text), false, false)
}

// goodReplies is the flow of a target that does everything right, against an
// initiator with testInitiatorConfig.
func goodReplies() []*reply {
	base := pdu.LoginResponse{ISID: testInitiatorConfig().ISID, Transit: true, ExpCmdSN: 1, MaxCmdSN: 32}
	security, operational := &reply{LoginResponse: base}, &reply{LoginResponse: base}
	security.CSG, security.NSG, security.StatSN = pdu.StageSecurity, pdu.StageOperational, 100
	security.text = lines("TargetPortalGroupTag=1", "AuthMethod=None")
	operational.CSG, operational.NSG, operational.StatSN = pdu.StageOperational, pdu.StageFullFeature, 101
	operational.TSIH = 9
	operational.text = lines("HeaderDigest=None", "DataDigest=None", "MaxConnections=1", "InitialR2T=Yes", "ImmediateData=Yes",
		"MaxRecvDataSegmentLength=65536", "MaxBurstLength=262144", "FirstBurstLength=65536", "DefaultTime2Wait=2",
		"DefaultTime2Retain=0", "MaxOutstandingR2T=1", "DataPDUInOrder=Yes", "DataSequenceInOrder=Yes", "ErrorRecoveryLevel=0")
	return []*reply{security, operational}
}

// readPDU reads one PDU from an honest peer; ok is false when it is gone.
func readPDU(r io.Reader) (bhs pdu.BHS, data []byte, ok bool) {
	if _, err := io.ReadFull(r, bhs[:]); err != nil {
		return bhs, nil, false
	}
	data = make([]byte, pdu.Pad(pdu.DataLen(&bhs)))
	if _, err := io.ReadFull(r, data); err != nil {
		return bhs, nil, false
	}
	return bhs, data[:pdu.DataLen(&bhs)], true
}

// playTarget answers each request with the next reply; the last one repeats for
// ever if loop is set, else the connection is closed after it.
func playTarget(conn net.Conn, loop bool, replies ...*reply) {
	defer conn.Close()
	for i := 0; ; i++ {
		if _, _, ok := readPDU(conn); !ok || i >= len(replies) && !loop {
			return
		}
		r := replies[min(i, len(replies)-1)]
		if i >= len(replies) {
			r.StatSN++
		}
		if _, err := conn.Write(r.bytes()); err != nil {
			return
		}
	}
}

// initiateWith runs Initiate against a puppet target.
func initiateWith(t *testing.T, cfg *InitiatorConfig, loop bool, replies ...*reply) (*Params, error) {
	t.Helper()
	a, b := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		playTarget(b, loop, replies...)
	}()
	p, err := Initiate(testContext(t), a, cfg)
	a.Close()
	<-done
	return p, err
}

// A canned connection has all its input from the start.
type canned struct {
	in       *bytes.Reader
	out      bytes.Buffer
	deadline time.Time
}

func (c *canned) Read(p []byte) (int, error)  { return c.in.Read(p) }
func (c *canned) Write(p []byte) (int, error) { return c.out.Write(p) }
func (c *canned) SetDeadline(t time.Time) error {
	c.deadline = t
	return nil
}

func newCanned(parts ...[]byte) *canned {
	return &canned{in: bytes.NewReader(bytes.Join(parts, nil))}
}
