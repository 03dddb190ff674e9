package login

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// A demand is one Login Request of a puppet initiator.
type demand struct {
	pdu.LoginRequest
	text string
	raw  []byte
}

func (d *demand) bytes() []byte {
	if d.raw != nil {
		return d.raw
	}
	var bhs pdu.BHS
	d.Encode(&bhs)
	return pdu.AppendFrame(nil, &bhs, nil, []byte(d.text), false, false)
}

// goodDemands is the flow of an initiator that does everything right.
func goodDemands() []*demand {
	base := pdu.LoginRequest{ISID: [6]byte{0x80, 1, 2, 3, 4, 5}, ITT: 5, CID: 2, CmdSN: 40, Transit: true}
	security, operational := &demand{LoginRequest: base}, &demand{LoginRequest: base}
	security.CSG, security.NSG = pdu.StageSecurity, pdu.StageOperational
	security.text = lines("InitiatorName="+testInitiator, "TargetName="+testTarget, "SessionType=Normal", "AuthMethod=None")
	operational.CSG, operational.NSG = pdu.StageOperational, pdu.StageFullFeature
	operational.text = lines("HeaderDigest=CRC32C,None", "MaxBurstLength=65536", "FirstBurstLength=4096")
	return []*demand{security, operational}
}

// acceptFlow runs Accept on the requests and returns what it answered.
func acceptFlow(t *testing.T, cfg *TargetConfig, demands ...*demand) (*Params, []*reply, error) {
	t.Helper()
	var parts [][]byte
	for _, d := range demands {
		parts = append(parts, d.bytes())
	}
	conn := newCanned(parts...)
	p, err := Accept(t.Context(), conn, cfg)
	var replies []*reply
	for {
		bhs, data, ok := readPDU(&conn.out)
		if !ok {
			return p, replies, err
		}
		r := &reply{text: string(data)}
		if err := r.Decode(&bhs); err != nil {
			t.Fatalf("response %d: %v", len(replies), err)
		}
		replies = append(replies, r)
	}
}

func TestAcceptGolden(t *testing.T) {
	cfg := &TargetConfig{TargetAlias: "disk", PortalGroupTag: 4, StatSN: 70, Session: func(r Request) (uint16, error) {
		want := Request{InitiatorName: testInitiator, TargetName: testTarget, ISID: [6]byte{0x80, 1, 2, 3, 4, 5}, CID: 2}
		if d := cmp.Diff(r, want); d != "" {
			t.Errorf("request (-got +want):\n%s", d)
		}
		return 0x1234, nil
	}}
	p, replies, err := acceptFlow(t, cfg, goodDemands()...)
	if err != nil {
		t.Fatal(err)
	}
	base := pdu.LoginResponse{Transit: true, ISID: [6]byte{0x80, 1, 2, 3, 4, 5}, ITT: 5, ExpCmdSN: 40, MaxCmdSN: 167}
	first, second := &reply{LoginResponse: base}, &reply{LoginResponse: base}
	first.CSG, first.NSG, first.StatSN = 0, 1, 70
	first.text = lines("TargetPortalGroupTag=4", "TargetAlias=disk", "AuthMethod=None")
	second.CSG, second.NSG, second.StatSN, second.TSIH = 1, 3, 71, 0x1234
	second.text = lines("HeaderDigest=CRC32C", "MaxBurstLength=65536", "FirstBurstLength=4096", "MaxRecvDataSegmentLength=262144")
	for _, r := range append(replies, first, second) {
		r.DataSegmentLength = 0
	}
	if d := cmp.Diff(replies, []*reply{first, second}, cmp.AllowUnexported(reply{})); d != "" {
		t.Errorf("responses (-got +want):\n%s", d)
	}
	if d := cmp.Diff(p, &Params{
		InitiatorName: testInitiator, TargetName: testTarget, TargetAlias: "disk", ISID: base.ISID, TSIH: 0x1234, CID: 2,
		TargetPortalGroupTag: 4, HasPortalGroup: true, HeaderDigest: true,
		MaxRecvDataSegmentLength: 262144, MaxXmitDataSegmentLength: 8192,
		InitialR2T: true, ImmediateData: true, FirstBurstLength: 4096, MaxBurstLength: 65536, MaxOutstandingR2T: 1,
		DataPDUInOrder: true, DataSequenceInOrder: true, DefaultTime2Wait: 2 * time.Second,
		DefaultTime2Retain: 20 * time.Second, MaxConnections: 1,
		CmdSN: 40, ExpStatSN: 72, ExpCmdSN: 40, MaxCmdSN: 167,
	}); d != "" {
		t.Errorf("outcome (-got +want):\n%s", d)
	}
}

// Everything that an initiator must not do is refused with a status, and said.
func TestTargetRefusesBadInitiators(t *testing.T) {
	host := "login: refused iqn.2026-11.io.hawser:host at iqn.2026-11.io.hawser:target: initiator error (0200): "
	replace := func(old, new string) func(*demand) {
		return func(d *demand) { d.text = strings.Replace(d.text, old, new, 1) }
	}
	for _, c := range []struct {
		name   string
		at     int
		spoil  func(d *demand)
		status pdu.LoginStatus
		want   string
	}{
		{"itt", 1, func(d *demand) { d.ITT = 6 }, 0x0200, host + "protocol error: the initiator changed the task tag from 0x5 to 0x6"},
		{"isid", 1, func(d *demand) { d.ISID[5] = 6 }, 0x0200, host + "protocol error: the initiator changed the ISID from 800102030405 to 800102030406"},
		{"tsih", 1, func(d *demand) { d.TSIH = 6 }, 0x0200, host + "protocol error: the initiator changed the TSIH from 0x0 to 0x6"},
		{"cid", 1, func(d *demand) { d.CID = 6 }, 0x0200, host + "protocol error: the initiator changed the CID from 2 to 6"},
		{"cmdsn", 1, func(d *demand) { d.CmdSN = 41 }, 0x0200, host + "protocol error: the initiator changed the CmdSN from 40 to 41"},
		{
			"version", 0, func(d *demand) { d.VersionMin, d.VersionMax = 1, 2 }, 0x0205,
			"login: refused an unnamed initiator: unsupported version (0205): protocol error: the initiator speaks version 1 of iSCSI or later, we speak version 0",
		},
		{
			"stage jump", 1, func(d *demand) { d.CSG = pdu.StageSecurity }, 0x0200,
			host + "protocol error: the initiator is in the security stage, we are in the operational stage",
		},
		{
			"no stage", 0, func(d *demand) { d.CSG = pdu.StageFullFeature }, 0x0200,
			"login: refused an unnamed initiator: initiator error (0200): protocol error: the initiator began the login in the full feature phase",
		},
		{
			"transit to itself", 1, func(d *demand) { d.NSG = pdu.StageOperational }, 0x0200,
			host + "protocol error: the initiator wants to move from the operational stage to the operational stage",
		},
		{
			"other PDU", 1, func(d *demand) { d.raw = make([]byte, 48) }, 0x0200,
			host + "protocol error: the initiator sent what is no valid Login Request: iscsi: malformed Login Request: Opcode: is that of NOP-Out",
		},
		{
			"no name", 0, replace("InitiatorName="+testInitiator+"\x00", ""), 0x0207,
			"login: refused an unnamed initiator at iqn.2026-11.io.hawser:target: missing parameter (0207): protocol error: the initiator did not tell its InitiatorName in the first request",
		},
		{
			"bad name", 0, replace(testInitiator, "fred"), 0x0200,
			"login: refused fred at iqn.2026-11.io.hawser:target: initiator error (0200): InitiatorName fred is no iSCSI name, which starts with iqn., eui. or naa.",
		},
		{
			"no target", 0, replace("TargetName="+testTarget+"\x00", ""), 0x0207,
			"login: refused iqn.2026-11.io.hawser:host: missing parameter (0207): protocol error: the initiator did not tell the TargetName in the first request",
		},
		{
			"session type", 0, replace("SessionType=Normal", "SessionType=Odd"), 0x0209,
			"login: refused iqn.2026-11.io.hawser:host at iqn.2026-11.io.hawser:target: session type not supported (0209): protocol error: the initiator asks for a session of the unknown type Odd",
		},
		{
			"CHAP only", 0, replace("AuthMethod=None", "AuthMethod=CHAP"), 0x0201,
			"login: refused iqn.2026-11.io.hawser:host at iqn.2026-11.io.hawser:target: authentication failure (0201): protocol error: the initiator offered none of our authentication methods: CHAP",
		},
		{"session unknown", 0, func(d *demand) { d.TSIH = 3 }, 0x0200, ""},
		{
			"key again", 1, replace("HeaderDigest=CRC32C,None", "HeaderDigest=None\x00HeaderDigest=None"), 0x0200,
			host + "the initiator sent HeaderDigest=None: it was sent before in this login, and a key is sent once (RFC 7143, section 13.1)",
		},
		{
			"name again", 1, func(d *demand) { d.text += lines("TargetName=iqn.other") }, 0x0200,
			host + "the initiator sent TargetName=iqn.other: it was sent before in this login, and a key is sent once (RFC 7143, section 13.4)",
		},
		{
			"bursts", 1, replace("FirstBurstLength=4096", "FirstBurstLength=65537"), 0x0200,
			host + "the initiator sent FirstBurstLength=65537: it is more than MaxBurstLength=65536 (RFC 7143, section 13.14)",
		},
		{
			"target's key", 1, func(d *demand) { d.text += lines("TargetAlias=a") }, 0x0200,
			host + "the initiator sent TargetAlias=a: only the target sends this key (RFC 7143, section 13.6)",
		},
		{
			"oversize", 1, func(d *demand) { d.text = strings.Repeat("\x00", 8193) }, 0x0200,
			host + "protocol error: the initiator sent a login PDU with 8193 bytes of data, at most 8192 are allowed",
		},
		{
			"garbage", 1, func(d *demand) { d.text = "=\x00" }, 0x0200,
			host + "protocol error: the initiator sent a login text that cannot be read: iscsi: text segment: pair at byte 0: key is empty or longer than 63 bytes",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			demands := goodDemands()
			c.spoil(demands[c.at])
			p, replies, err := acceptFlow(t, &TargetConfig{}, demands...)
			if got := fmt.Sprint(err); p != nil || got != c.want && c.want != "" {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Status() != c.status {
				t.Errorf("error %#v", err)
			}
			if last := replies[len(replies)-1]; last.LoginStatus() != c.status || last.Transit {
				t.Errorf("the initiator was told %v", last.LoginStatus())
			}
		})
	}
}

func TestTargetRefusesWhatIsForcedOtherwise(t *testing.T) {
	for name, c := range map[string]struct {
		forced map[string]string
		offer  string
		want   string
	}{
		"digest":   {map[string]string{"HeaderDigest": "CRC32C"}, "HeaderDigest=None", "this target insists on CRC32C"},
		"rejected": {map[string]string{"MaxOutstandingR2T": "1", "DataDigest": "CRC32C"}, "DataDigest=None,X-other", "this target insists on CRC32C"},
	} {
		demands := goodDemands()
		demands[1].text = lines(c.offer)
		_, replies, err := acceptFlow(t, &TargetConfig{Keys: c.forced}, demands...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
		if got := replies[len(replies)-1].LoginStatus(); got != pdu.LoginInitiatorError {
			t.Errorf("%s: status %v", name, got)
		}
	}
}

// A target whose forced keys were not offered offers them, and the initiator
// that would leave the operational stage out has to enter it.
func TestTargetOffersWhatIsForced(t *testing.T) {
	demands := goodDemands()
	demands[0].NSG = pdu.StageFullFeature
	demands[1].text = ""
	last := goodDemands()[1]
	last.text = lines("HeaderDigest=CRC32C", "InitialR2T=Yes", "MaxBurstLength=512", "FirstBurstLength=512", "ImmediateData=No")
	cfg := &TargetConfig{Keys: map[string]string{
		"MaxBurstLength": "512", "HeaderDigest": "CRC32C", "ImmediateData": "No", "InitialR2T": "Yes", "DefaultTime2Wait": "0",
	}}
	p, replies, err := acceptFlow(t, cfg, demands[0], demands[1], last)
	if err != nil {
		t.Fatal(err)
	}
	if r := replies[0]; !r.Transit || r.NSG != pdu.StageOperational {
		t.Errorf("first response %+v", r)
	}
	// InitialR2T=Yes is the default, and DefaultTime2Wait=0 changes nothing.
	want := lines("MaxRecvDataSegmentLength=262144", "HeaderDigest=CRC32C", "ImmediateData=No", "MaxBurstLength=512", "FirstBurstLength=512")
	if r := replies[1]; r.Transit || r.text != want {
		t.Errorf("second response %+v", r)
	}
	if !p.HeaderDigest || p.ImmediateData || p.MaxBurstLength != 512 || p.FirstBurstLength != 512 {
		t.Errorf("outcome %+v", p)
	}
}

// Stages may be left out, and the names said again.
func TestTargetTakesOtherFlows(t *testing.T) {
	direct := goodDemands()[0]
	direct.NSG = pdu.StageFullFeature
	operational := goodDemands()[1]
	operational.text = lines("InitiatorName="+testInitiator, "TargetName="+testTarget) + operational.text
	patient := goodDemands()
	patient[0].Transit, patient[0].NSG = false, 0
	leave := goodDemands()[0]
	leave.text = ""
	again := goodDemands()
	again[1].text = lines("InitiatorName="+testInitiator, "TargetName="+testTarget, "SessionType=Normal") + again[1].text
	for name, demands := range map[string][]*demand{
		"names again":      again,
		"security only":    {direct},
		"operational only": {operational},
		"patient":          {patient[0], leave, patient[1]},
	} {
		p, _, err := acceptFlow(t, &TargetConfig{}, demands...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		checkParams(t, p)
		if p.TSIH != 1 {
			t.Errorf("%s: TSIH %d", name, p.TSIH)
		}
	}
}

func TestTargetRefusesUnknownSession(t *testing.T) {
	demands := goodDemands()
	demands[0].TSIH, demands[1].TSIH = 3, 3
	demands[0].text = lines("InitiatorName="+testInitiator, "TargetName="+testTarget, "AuthMethod=None")
	demands[1].text = ""
	_, replies, err := acceptFlow(t, &TargetConfig{}, demands...)
	if got := replies[len(replies)-1].LoginStatus(); got != pdu.LoginNoSession {
		t.Errorf("status %v, error %v", got, err)
	}
}

func TestTargetSeesEveryTruncation(t *testing.T) {
	demands := goodDemands()
	flow := append(demands[0].bytes(), demands[1].bytes()...)
	for n := range flow {
		_, err := Accept(t.Context(), newCanned(flow[:n]), &TargetConfig{})
		if e, ok := errors.AsType[*IOError](err); !ok || e.Peer != "initiator" {
			t.Fatalf("%d of %d bytes: got %v", n, len(flow), err)
		}
	}
	_, err := Accept(t.Context(), newCanned(), &TargetConfig{})
	want := "login: the initiator closed the connection in the wait for the first Login Request"
	if fmt.Sprint(err) != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// Who does not speak iSCSI at all gets no answer.
func TestTargetIsSilentToStrangers(t *testing.T) {
	conn := newCanned([]byte(strings.Repeat("GET / HTTP/1.1\r\n", 10)))
	if _, err := Accept(t.Context(), conn, &TargetConfig{}); err == nil {
		t.Error("no error")
	}
	if conn.out.Len() > 0 {
		t.Errorf("answered %q", conn.out.Bytes())
	}
}

func TestTargetIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		cont bool
		want string
	}{
		"rounds":    {"", false, "in 32 PDUs"},
		"continued": {"a", true, "in 32 PDUs"},
		"text":      {strings.Repeat("a", 8192), true, "sent more than 65536 bytes of login text"},
	} {
		demands := goodDemands()[:1]
		for range maxRounds {
			d := goodDemands()[1]
			d.Transit, d.NSG, d.Continue, d.text = false, 0, c.cont, c.text
			demands = append(demands, d)
		}
		if _, _, err := acceptFlow(t, &TargetConfig{}, demands...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestTargetEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		defer a.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		go func() {
			_, _ = a.Write(goodDemands()[0].bytes())
			_, _, _ = readPDU(a)
			_, _ = io.Copy(io.Discard, a)
		}()
		_, err := Accept(ctx, b, &TargetConfig{})
		want := "login: the time is up and the initiator is still silent in the operational stage: context deadline exceeded"
		if fmt.Sprint(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
}

// FuzzAccept lets any bytes ask: no panic, no hang, and an outcome within its
// ranges.
func FuzzAccept(f *testing.F) {
	good := goodDemands()
	f.Add(append(good[0].bytes(), good[1].bytes()...), true)
	good[0].NSG = pdu.StageFullFeature
	f.Add(good[0].bytes(), false)
	f.Add([]byte("GET / HTTP/1.1\r\n"), true)
	f.Fuzz(func(t *testing.T, flow []byte, forced bool) {
		cfg := &TargetConfig{TextSegment: 100}
		if forced {
			cfg.Keys = map[string]string{"InitialR2T": "Yes", "MaxBurstLength": "1024", "HeaderDigest": "CRC32C,None"}
		}
		p, err := Accept(t.Context(), newCanned(flow), cfg)
		if (p == nil) == (err == nil) {
			t.Fatalf("got %v, %v", p, err)
		}
		if p != nil {
			checkParams(t, p)
			if forced && (!p.InitialR2T || p.MaxBurstLength > 1024) {
				t.Errorf("not forced: %+v", p)
			}
		}
	})
}
