package login

import (
	"bytes"
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

// The bytes of a whole login: what is sent is golden, what follows the last
// response stays unread.
func TestInitiateGolden(t *testing.T) {
	replies := goodReplies()
	conn := newCanned(replies[0].bytes(), replies[1].bytes(), []byte("full feature phase"))
	p, err := Initiate(t.Context(), conn, testInitiatorConfig())
	if err != nil {
		t.Fatal(err)
	}
	if rest, _ := io.ReadAll(conn.in); string(rest) != "full feature phase" {
		t.Errorf("left in the connection: %q", rest)
	}
	if !conn.deadline.IsZero() {
		t.Errorf("a deadline was left: %v", conn.deadline)
	}

	want := []struct {
		header string
		text   string
	}{
		{
			"43810000" + "000000a1" + "80010203" + "04050000" + "00000000" + "00000000" + "00000001" + "00000000",
			lines("InitiatorName="+testInitiator, "TargetName="+testTarget, "SessionType=Normal", "AuthMethod=None"),
		},
		{
			"43870000" + "0000014d" + "80010203" + "04050000" + "00000000" + "00000000" + "00000001" + "00000065",
			lines("HeaderDigest=None,CRC32C", "DataDigest=None,CRC32C", "MaxConnections=1", "InitialR2T=No", "ImmediateData=Yes",
				"MaxRecvDataSegmentLength=262144", "MaxBurstLength=16776192", "FirstBurstLength=262144", "DefaultTime2Wait=0",
				"DefaultTime2Retain=0", "MaxOutstandingR2T=16", "DataPDUInOrder=Yes", "DataSequenceInOrder=Yes", "ErrorRecoveryLevel=0"),
		},
	}
	for i, w := range want {
		bhs, data, ok := readPDU(&conn.out)
		if !ok {
			t.Fatalf("request %d is missing", i)
		}
		wantHeader := fmt.Sprintf("%s%06x%s", w.header[:10], len(w.text), w.header[16:]) + strings.Repeat("0", 32)
		if got := fmt.Sprintf("%x", bhs); got != wantHeader {
			t.Errorf("request %d: header\n got %s\nwant %s", i, got, wantHeader)
		}
		if d := cmp.Diff(strings.Split(string(data), "\x00"), strings.Split(w.text, "\x00")); d != "" {
			t.Errorf("request %d: text (-got +want):\n%s", i, d)
		}
	}
	if conn.out.Len() > 0 {
		t.Errorf("%d more bytes were sent", conn.out.Len())
	}

	if d := cmp.Diff(p, &Params{
		InitiatorName: testInitiator, TargetName: testTarget, ISID: [6]byte{0x80, 1, 2, 3, 4, 5}, TSIH: 9,
		TargetPortalGroupTag: 1, HasPortalGroup: true,
		MaxRecvDataSegmentLength: 262144, MaxXmitDataSegmentLength: 65536,
		InitialR2T: true, ImmediateData: true, FirstBurstLength: 65536, MaxBurstLength: 262144, MaxOutstandingR2T: 1,
		DataPDUInOrder: true, DataSequenceInOrder: true, DefaultTime2Wait: 2 * time.Second, MaxConnections: 1,
		CmdSN: 1, ExpStatSN: 102, ExpCmdSN: 1, MaxCmdSN: 32,
	}); d != "" {
		t.Errorf("outcome (-got +want):\n%s", d)
	}
}

// Everything that a target must not do is an error that says so. Each case
// spoils one reply of a good flow.
func TestInitiatorRefusesBadTargets(t *testing.T) {
	replace := func(old, new string) func(*reply) {
		return func(r *reply) { r.text = strings.Replace(r.text, old, new, 1) }
	}
	for _, c := range []struct {
		name  string
		at    int
		spoil func(r *reply)
		want  string
	}{
		{
			"itt", 0, func(r *reply) { r.ITT = 7 },
			"login: protocol error: the target answered task 0x7, ours is 0x0",
		},
		{
			"isid", 1, func(r *reply) { r.ISID[0] = 1 },
			"login: protocol error: the target answered for ISID 010102030405, ours is 800102030405",
		},
		{
			"version", 0, func(r *reply) { r.VersionActive, r.VersionMax = 1, 1 },
			"login: protocol error: the target chose version 1, we offered version 0 only",
		},
		{
			"statsn again", 1, func(r *reply) { r.StatSN = 100 },
			"login: protocol error: the target sent StatSN 100, next is 101",
		},
		{
			"statsn gap", 1, func(r *reply) { r.StatSN = 102 },
			"login: protocol error: the target sent StatSN 102, next is 101",
		},
		{
			"other stage", 0, func(r *reply) { r.CSG, r.NSG = pdu.StageOperational, pdu.StageFullFeature },
			"login: protocol error: the target is in the operational stage, we are in the security stage",
		},
		{
			"stage jump", 0, func(r *reply) { r.NSG = pdu.StageFullFeature },
			"login: protocol error: the target moved on to the full feature phase, we asked for the operational stage",
		},
		{
			"stage back", 1, func(r *reply) { r.NSG = pdu.StageSecurity },
			"login: protocol error: the target moved on to the security stage, we asked for the full feature phase",
		},
		{
			"T and C", 0, func(r *reply) { r.Continue = true },
			"login: protocol error: the target sent what is no valid Login Response: iscsi: malformed Login Response: T and C: both set",
		},
		{
			"other PDU", 0, func(r *reply) { r.raw = bytes.Repeat([]byte{0x3f}, 48) },
			"login: protocol error: the target sent what is no valid Login Response: iscsi: malformed Login Response: Opcode: is that of Reject",
		},
		{
			"no tsih", 1, func(r *reply) { r.TSIH = 0 },
			"login: protocol error: the target completed the login without a session handle (TSIH 0)",
		},
		{
			"no answer to AuthMethod", 0, replace("AuthMethod=None\x00", ""),
			"login: protocol error: the target did not answer AuthMethod=None",
		},
		{
			"wants CHAP", 0, replace("AuthMethod=None", "AuthMethod=CHAP"),
			"login: the target sent AuthMethod=CHAP in answer to None: our offer does not allow it (RFC 7143, section 12.1)",
		},
		{
			"no answer", 1, replace("MaxBurstLength=262144\x00", ""),
			"login: protocol error: the target did not answer MaxBurstLength=16776192",
		},
		{
			"answer outside the offer", 1, replace("MaxOutstandingR2T=1\x00", "MaxOutstandingR2T=17\x00"),
			"login: the target sent MaxOutstandingR2T=17 in answer to 16: our offer does not allow it (RFC 7143, section 13.17)",
		},
		{
			"answered twice", 1, replace("ImmediateData=Yes", "ImmediateData=Yes\x00ImmediateData=No"),
			"login: the target sent ImmediateData=No: it was sent before in this login, and a key is sent once (RFC 7143, section 13.11)",
		},
		{
			"digest", 1, replace("DataDigest=None", "DataDigest=MD5"),
			"login: the target sent DataDigest=MD5 in answer to None,CRC32C: our offer does not allow it (RFC 7143, section 13.1)",
		},
		{
			"offers and leaves", 1, func(r *reply) { r.text += lines("TaskReporting=FastAbort") },
			"login: protocol error: the target offered TaskReporting and left the stage without our answer",
		},
		{
			"segment length", 1, replace("MaxRecvDataSegmentLength=65536", "MaxRecvDataSegmentLength=100"),
			"login: the target sent MaxRecvDataSegmentLength=100: want a number from 512 to 16777215 (RFC 7143, section 13.12)",
		},
		{
			"no pair", 1, func(r *reply) { r.text = "garbage\x00" },
			"login: protocol error: the target sent a login text that cannot be read: iscsi: text segment: pair at byte 0: no '=' in it",
		},
		{
			"no NUL", 1, func(r *reply) { r.text = "HeaderDigest=None" },
			"login: protocol error: the target sent a login text that cannot be read: iscsi: text segment: pair at byte 0: no NUL ends it",
		},
		{
			"oversize", 0, func(r *reply) { r.text = strings.Repeat("\x00", 8193) },
			"login: protocol error: the target sent a login PDU with 8193 bytes of data, at most 8192 are allowed",
		},
		{
			"redirect nowhere", 0, func(r *reply) { r.StatusClass, r.StatusDetail = 1, 1 },
			"login: protocol error: the target redirected us without a TargetAddress",
		},
		{
			"redirect to nothing", 0, func(r *reply) { r.StatusClass, r.StatusDetail, r.text = 1, 1, lines("TargetAddress=:0") },
			`login: protocol error: the target redirected us to a place that is none: login: address :0: "" is no host; want host[:port][,tag], IPv6 in brackets`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			replies := goodReplies()
			c.spoil(replies[c.at])
			p, err := initiateWith(t, testInitiatorConfig(), false, replies...)
			if got := fmt.Sprint(err); p != nil || got != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			_, isProtocol := errors.AsType[*ProtocolError](err)
			_, isKey := errors.AsType[*KeyError](err)
			if !isProtocol && !isKey {
				t.Errorf("error type %T", err)
			}
		})
	}
}

// A target need not answer a boolean that our offer has settled.
func TestInitiatorDoesWithoutOptionalAnswers(t *testing.T) {
	cfg := testInitiatorConfig()
	cfg.InitialR2T, cfg.ImmediateData = Yes, No
	replies := goodReplies()
	for _, answer := range []string{"InitialR2T=Yes", "ImmediateData=Yes", "DataPDUInOrder=Yes", "DataSequenceInOrder=Yes"} {
		replies[1].text = strings.Replace(replies[1].text, answer+"\x00", "", 1)
	}
	p, err := initiateWith(t, cfg, false, replies...)
	if err != nil {
		t.Fatal(err)
	}
	if !p.InitialR2T || p.ImmediateData || !p.DataPDUInOrder || !p.DataSequenceInOrder {
		t.Errorf("outcome: %+v", p)
	}
}

// What was asked before the target's text went on is not asked any more.
func TestInitiatorRefusesTransitAfterContinue(t *testing.T) {
	part, rest := goodReplies()[0], goodReplies()[0]
	part.Continue, part.Transit, part.NSG, part.text = true, false, 0, "TargetPortalGr"
	rest.StatSN, rest.text = 101, lines("oupTag=1", "AuthMethod=None")
	_, err := Initiate(t.Context(), newCanned(part.bytes(), rest.bytes()), testInitiatorConfig())
	want := "login: protocol error: the target left the security stage before we asked for it"
	if fmt.Sprint(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A text that goes on is acknowledged with nothing, and nothing else.
func TestInitiatorRefusesEarlyAnswers(t *testing.T) {
	cfg := testInitiatorConfig()
	cfg.textSegment = 100
	for name, spoil := range map[string]func(*reply){
		"text":     func(r *reply) { r.text = lines("AuthMethod=None") },
		"continue": func(r *reply) { r.Continue, r.text = true, "" },
	} {
		r := goodReplies()[0]
		r.Transit, r.NSG = false, 0
		spoil(r)
		_, err := Initiate(t.Context(), newCanned(r.bytes()), cfg)
		if want := "login: protocol error: the target answered a text that was not complete yet"; fmt.Sprint(err) != want {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
}

func TestInitiatorRefusesOtherSession(t *testing.T) {
	cfg := testInitiatorConfig()
	cfg.TSIH = 8
	replies := goodReplies()
	replies[1].text = lines("HeaderDigest=None", "DataDigest=None")
	_, err := Initiate(t.Context(), newCanned(replies[0].bytes(), replies[1].bytes()), cfg)
	if want := "login: protocol error: the target completed the login to session 0x9, we asked for 0x8"; fmt.Sprint(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A target that asks for more rounds or text than a login needs is left.
func TestInitiatorIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		last reply
		want string
	}{
		"rounds": {reply{}, "login: protocol error: the target did not come to an end of the login in 32 PDUs"},
		"continued": {
			reply{LoginResponse: pdu.LoginResponse{Continue: true}, text: "a"},
			"login: protocol error: the target did not come to an end of the login in 32 PDUs",
		},
		"text": {
			reply{LoginResponse: pdu.LoginResponse{Continue: true}, text: strings.Repeat("a", 8192)},
			"login: protocol error: the target sent more than 65536 bytes of login text",
		},
	} {
		t.Run(name, func(t *testing.T) {
			replies := append(goodReplies()[:1], &c.last)
			c.last.ISID, c.last.StatSN, c.last.CSG = replies[0].ISID, 101, pdu.StageOperational
			if _, err := initiateWith(t, testInitiatorConfig(), true, replies...); fmt.Sprint(err) != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// A flow that ends anywhere is an error, and never a hang.
func TestInitiatorSeesEveryTruncation(t *testing.T) {
	replies := goodReplies()
	flow := append(replies[0].bytes(), replies[1].bytes()...)
	for n := range flow {
		_, err := Initiate(t.Context(), newCanned(flow[:n]), testInitiatorConfig())
		if e, ok := errors.AsType[*IOError](err); !ok || e.Peer != "target" {
			t.Fatalf("%d of %d bytes: got %v", n, len(flow), err)
		}
	}
	first := len(replies[0].bytes())
	for n, want := range map[int]string{
		0:         "login: the target closed the connection in the security stage: it does not want us, or is no iSCSI target",
		10:        "login: the target closed the connection in the middle of a PDU, in the security stage",
		first:     "login: the target closed the connection in the operational stage: it does not want us, or is no iSCSI target",
		first + 1: "login: the target closed the connection in the middle of a PDU, in the operational stage",
	} {
		if _, err := Initiate(t.Context(), newCanned(flow[:n]), testInitiatorConfig()); fmt.Sprint(err) != want {
			t.Errorf("%d bytes:\n got %v\nwant %s", n, err, want)
		}
	}
}

// A target may take several rounds, offer keys of its own, and send what we do
// not know: each is answered.
func TestInitiatorAnswersOffers(t *testing.T) {
	r := goodReplies()
	ask := &reply{LoginResponse: r[1].LoginResponse, text: lines("TaskReporting=FastAbort,RFC3720", "X-com.example=1", "iSCSIProtocolLevel=2")}
	ask.Transit, ask.NSG, ask.TSIH = false, 0, 0
	r[1].StatSN = 102
	conn := newCanned(r[0].bytes(), ask.bytes(), r[1].bytes())
	if _, err := Initiate(t.Context(), conn, testInitiatorConfig()); err != nil {
		t.Fatal(err)
	}
	readPDU(&conn.out)
	readPDU(&conn.out)
	bhs, text, _ := readPDU(&conn.out)
	if want := lines("TaskReporting=RFC3720", "iSCSIProtocolLevel=1", "X-com.example=NotUnderstood"); string(text) != want {
		t.Errorf("got %q, want %q", text, want)
	}
	var req pdu.LoginRequest
	if err := req.Decode(&bhs); err != nil || !req.Transit || req.NSG != pdu.StageFullFeature || req.ExpStatSN != 102 {
		t.Errorf("request %+v, %v", req, err)
	}
}

// Irrelevant keys of a joining or a discovery login are not offered.
func TestInitiatorOffersWhatBelongs(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*InitiatorConfig)
		want   []string
	}{
		"discovery": {
			func(c *InitiatorConfig) { c.SessionType, c.TargetName = Discovery, "" },
			[]string{
				"InitiatorName", "SessionType", "AuthMethod", "HeaderDigest", "DataDigest", "MaxRecvDataSegmentLength",
				"DefaultTime2Wait", "DefaultTime2Retain", "ErrorRecoveryLevel",
			},
		},
		"join": {
			func(c *InitiatorConfig) { c.TSIH = 9 },
			[]string{"InitiatorName", "TargetName", "AuthMethod", "HeaderDigest", "DataDigest", "MaxRecvDataSegmentLength"},
		},
	} {
		cfg := testInitiatorConfig()
		c.change(cfg)
		r := goodReplies()[0]
		conn := newCanned(r.bytes())
		_, _ = Initiate(t.Context(), conn, cfg)
		var got []string
		for range 2 {
			_, text, _ := readPDU(&conn.out)
			for p := range textPairs(text) {
				got = append(got, p.Key)
			}
		}
		if d := cmp.Diff(got, c.want); d != "" {
			t.Errorf("%s (-got +want):\n%s", name, d)
		}
	}
}

func TestInitiatorEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			ctx  func() (context.Context, context.CancelFunc)
			want string
			is   error
		}{
			"deadline": {
				func() (context.Context, context.CancelFunc) { return context.WithTimeout(t.Context(), time.Hour) },
				"login: the time is up and the target is still silent in the security stage: context deadline exceeded", context.DeadlineExceeded,
			},
			"no deadline": {
				func() (context.Context, context.CancelFunc) { return context.WithCancel(t.Context()) },
				"login: the time is up and the target is still silent in the security stage: context deadline exceeded", context.DeadlineExceeded,
			},
			"cancel": {func() (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				return ctx, cancel
			}, "login: given up in the security stage: context canceled", context.Canceled},
		} {
			a, b := net.Pipe()
			go io.Copy(io.Discard, b) // hears, and says nothing
			ctx, cancel := c.ctx()
			_, err := Initiate(ctx, a, testInitiatorConfig())
			cancel()
			if _, ok := errors.AsType[*InterruptedError](err); !ok || err.Error() != c.want || !errors.Is(err, c.is) {
				t.Errorf("%s:\n got %v\nwant %s", name, err, c.want)
			}
			a.Close()
		}
	})
}

// FuzzInitiate lets any bytes answer: no panic, no hang, and an outcome within
// its ranges.
func FuzzInitiate(f *testing.F) {
	good := goodReplies()
	f.Add(append(good[0].bytes(), good[1].bytes()...))
	f.Add(good[0].bytes())
	redirect := goodReplies()[0]
	redirect.StatusClass, redirect.text = 1, lines("TargetAddress=[::1]:1,1")
	f.Add(redirect.bytes())
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\n400"))
	f.Fuzz(func(t *testing.T, flow []byte) {
		conn := newCanned(flow)
		p, err := Initiate(t.Context(), conn, testInitiatorConfig())
		if (p == nil) == (err == nil) {
			t.Fatalf("got %v, %v", p, err)
		}
		if p != nil {
			checkParams(t, p)
			if p.TSIH == 0 {
				t.Error("TSIH 0")
			}
		}
		if conn.out.Len() > maxRounds*(pdu.BHSLen+maxSegment) {
			t.Errorf("%d bytes were sent", conn.out.Len())
		}
	})
}
