package login

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func testNegotiation(s side) *negotiation {
	if s == initiator {
		return newNegotiation(s, testInitiatorConfig().withDefaults().operands())
	}
	return newNegotiation(s, (&TargetConfig{}).withDefaults().operands())
}

// What a responder says to each offer.
func TestAnswers(t *testing.T) {
	for _, c := range []struct{ offer, answer string }{
		{"HeaderDigest=CRC32C,None", "HeaderDigest=CRC32C"},
		{"HeaderDigest=X-strong", "HeaderDigest=Reject"},
		{"InitialR2T=No", "InitialR2T=No"},
		{"InitialR2T=Maybe", "InitialR2T=Reject"},
		{"ImmediateData=Yes", "ImmediateData=Yes"},
		{"MaxBurstLength=0x40000", "MaxBurstLength=262144"},
		{"MaxBurstLength=17000000", "MaxBurstLength=Reject"},
		{"MaxBurstLength=", "MaxBurstLength=Reject"},
		{"DefaultTime2Wait=3600", "DefaultTime2Wait=3600"},
		{"DefaultTime2Wait=3601", "DefaultTime2Wait=Reject"},
		{"DefaultTime2Retain=20", "DefaultTime2Retain=0"},
		{"ErrorRecoveryLevel=2", "ErrorRecoveryLevel=0"},
		{"TaskReporting=FastAbort", "TaskReporting=Reject"},
		{"TaskReporting=FastAbort,RFC3720", "TaskReporting=RFC3720"},
		{"iSCSIProtocolLevel=2", "iSCSIProtocolLevel=1"},
		{"IFMarker=No", "IFMarker=Reject"},
		{"OFMarkInt=2048~8192", "OFMarkInt=Reject"},
		{"X-com.example.key=1", "X-com.example.key=NotUnderstood"},
		{"X#NodeArchitecture=vax", "X#NodeArchitecture=NotUnderstood"},
		{"maxburstlength=512", "maxburstlength=NotUnderstood"},
		{"X-com.example.key=NotUnderstood", ""},
		{"MaxRecvDataSegmentLength=65536", ""},
	} {
		n := testNegotiation(target)
		name, value, _ := strings.Cut(c.offer, "=")
		if err := n.receive(inOperational, Pair{name, value}); err != nil {
			t.Errorf("%s: %v", c.offer, err)
		}
		n.refuseForeign()
		got := ""
		for _, p := range n.take() {
			got += p.Key + "=" + p.Value
		}
		if got != c.answer {
			t.Errorf("%s: got %q, want %q", c.offer, got, c.answer)
		}
	}
}

// What a proposer takes for an answer, and what the key is then.
func TestCheckOfAnswers(t *testing.T) {
	for _, c := range []struct {
		key, own, answer, value string // value "": refused
	}{
		{"MaxBurstLength", "1024", "512", "512"},
		{"MaxBurstLength", "1024", "0x200", "512"},
		{"MaxBurstLength", "1024", "1025", ""},
		{"MaxBurstLength", "1024", "511", ""},
		{"MaxBurstLength", "1024", "Irrelevant", "262144"},
		{"MaxBurstLength", "1024", "Reject", ""},
		{"MaxBurstLength", "524288", "Reject", "262144"},
		{"DefaultTime2Wait", "2", "1", ""},
		{"DefaultTime2Wait", "2", "3", "3"},
		{"DefaultTime2Retain", "0", "20", ""},
		{"InitialR2T", "Yes", "No", ""},
		{"InitialR2T", "No", "Yes", "Yes"},
		{"InitialR2T", "No", "true", ""},
		{"ImmediateData", "No", "Yes", ""},
		{"ImmediateData", "Yes", "No", "No"},
		{"ImmediateData", "No", "NotUnderstood", ""},
		{"HeaderDigest", "None", "CRC32C", ""},
		{"HeaderDigest", "CRC32C", "None", ""},
		{"HeaderDigest", "CRC32C", "Reject", ""},
		{"HeaderDigest", "CRC32C,None", "Reject", "None"},
		{"HeaderDigest", "CRC32C,None", "CRC32C,None", ""},
		{"AuthMethod", "None", "None", "None"},
		{"AuthMethod", "None", "CHAP", ""},
		{"AuthMethod", "None", "Reject", ""},
	} {
		k := lookup(c.key)
		n := newNegotiation(initiator, map[string]string{c.key: c.own})
		n.offer(c.key)
		err := n.receive(k.phase, Pair{c.key, c.answer})
		got := n.settled[c.key]
		if got != c.value || (err == nil) != (c.value != "") {
			t.Errorf("offer %s=%s, answer %s: got %q, %v; want %q", c.key, c.own, c.answer, got, err, c.value)
		}
	}
}

// Offers that need no answer, and what the key is without one.
func TestOptionalAnswers(t *testing.T) {
	for _, c := range []struct{ key, own, value string }{ // value "": the answer is needed
		{"InitialR2T", "Yes", "Yes"},
		{"InitialR2T", "No", ""},
		{"ImmediateData", "No", "No"},
		{"ImmediateData", "Yes", ""},
		{"DataPDUInOrder", "Yes", "Yes"},
		{"DataSequenceInOrder", "Yes", "Yes"},
		{"ErrorRecoveryLevel", "0", ""},
		{"MaxConnections", "1", ""},
		{"HeaderDigest", "None", ""},
		{"AuthMethod", "None", ""},
	} {
		n := newNegotiation(initiator, map[string]string{c.key: c.own})
		n.offer(c.key)
		err := n.checkAnswered()
		if got := n.settled[c.key]; got != c.value || (err == nil) != (c.value != "") {
			t.Errorf("offer %s=%s, no answer: got %q, %v; want %q", c.key, c.own, got, err, c.value)
		}
	}
}

// Golden texts of what a key can do wrong.
func TestKeyErrors(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, c := range []struct {
		side  side
		phase phase
		pairs []Pair
		want  string
	}{
		{
			initiator, inOperational,
			[]Pair{{"MaxBurstLength", "16777215"}},
			`login: the target sent MaxBurstLength=16777215 in answer to 16776192: our offer does not allow it (RFC 7143, section 13.13)`,
		},
		{
			initiator, inOperational,
			[]Pair{{"MaxBurstLength", "5"}},
			`login: the target sent MaxBurstLength=5 in answer to 16776192: want a number from 512 to 16777215 (RFC 7143, section 13.13)`,
		},
		{
			initiator, inOperational,
			[]Pair{{"ErrorRecoveryLevel", "\x1b[2J"}},
			`login: the target sent ErrorRecoveryLevel="\x1b[2J" in answer to 0: want a number from 0 to 2 (RFC 7143, section 13.20)`,
		},
		{
			initiator, inSecurity,
			[]Pair{{"AuthMethod", "Reject"}},
			`login: the target sent AuthMethod=Reject in answer to None: it is needed, and the default will not do (RFC 7143, section 12.1)`,
		},
		{
			initiator, inOperational,
			[]Pair{{"InitiatorName", "iqn.x"}},
			`login: the target sent InitiatorName=iqn.x: only the initiator sends this key (RFC 7143, section 13.5)`,
		},
		{
			initiator, inSecurity,
			[]Pair{{"HeaderDigest", "None"}},
			`login: the target sent HeaderDigest=None: this key does not belong in this stage (RFC 7143, section 13.1)`,
		},
		{
			initiator, inOperational,
			[]Pair{{"TargetAlias", "a"}, {"TargetAlias", "a"}, {"TargetAlias", "b"}},
			`login: the target sent TargetAlias=b: it was sent before in this login, and a key is sent once (RFC 7143, section 13.6)`,
		},
		{
			target, inOperational,
			[]Pair{{"MaxBurstLength", "512"}, {"MaxBurstLength", "512"}},
			`login: the initiator sent MaxBurstLength=512: it was sent before in this login, and a key is sent once (RFC 7143, section 13.13)`,
		},
		{
			target, inOperational,
			[]Pair{{"MaxRecvDataSegmentLength", "0"}},
			`login: the initiator sent MaxRecvDataSegmentLength=0: want a number from 512 to 16777215 (RFC 7143, section 13.12)`,
		},
		{
			target, inOperational,
			[]Pair{{"SendTargets", "All"}},
			`login: the initiator sent SendTargets=All: this key does not belong in this stage (RFC 7143, section 13.3)`,
		},
		{
			target, inOperational,
			[]Pair{{"InitiatorAlias", long}},
			`login: the initiator sent InitiatorAlias=` + long[:64] + `...: 300 bytes, at most 255 are allowed (RFC 7143, section 13.7)`,
		},
	} {
		n := testNegotiation(c.side)
		if c.side == initiator {
			for _, k := range []string{"AuthMethod", "MaxBurstLength", "ErrorRecoveryLevel"} {
				n.offer(k)
			}
		}
		var err error
		for _, p := range c.pairs {
			if err != nil {
				t.Errorf("%v: early error: %v", c.pairs, err)
			}
			err = n.receive(c.phase, p)
		}
		if got := fmt.Sprint(err); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestJoinedConnectionHasNoSessionKeys(t *testing.T) {
	n := testNegotiation(target)
	n.joins = true
	if err := n.receive(inOperational, Pair{"HeaderDigest", "None"}); err != nil {
		t.Errorf("connection key: %v", err)
	}
	if err := n.receive(inOperational, Pair{"MaxBurstLength", "512"}); err == nil {
		t.Error("a key of the session was taken")
	}
}

func TestDiscoveryFindsKeysIrrelevant(t *testing.T) {
	n := testNegotiation(target)
	n.discovery = true
	for _, p := range []Pair{{"MaxBurstLength", "512"}, {"HeaderDigest", "CRC32C"}} {
		if err := n.receive(inOperational, p); err != nil {
			t.Fatal(err)
		}
	}
	want := []Pair{{"MaxBurstLength", "Irrelevant"}, {"HeaderDigest", "CRC32C"}}
	if d := cmp.Diff(n.take(), want); d != "" {
		t.Error(d)
	}
	if got := n.value("MaxBurstLength"); got != "262144" {
		t.Errorf("MaxBurstLength: got %s", got)
	}
}

func TestUnknownKeysAreBounded(t *testing.T) {
	n := testNegotiation(target)
	var err error
	for i := 0; i <= maxForeign && err == nil; i++ {
		err = n.receive(inOperational, Pair{fmt.Sprintf("X-%d", i), "1"})
	}
	want := "login: protocol error: the initiator sent more than 64 unknown keys"
	if fmt.Sprint(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// FuzzNegotiate feeds any text to either side in any stage: whatever is taken
// leaves every key at a value that it may have.
func FuzzNegotiate(f *testing.F) {
	f.Add([]byte("HeaderDigest=CRC32C,None\x00MaxBurstLength=512\x00"), uint8(0))
	f.Add([]byte("MaxBurstLength=Reject\x00X-a=b\x00TargetAlias=\x00"), uint8(1))
	f.Add([]byte("AuthMethod=CHAP\x00InitiatorName=iqn.a\x00"), uint8(2))
	f.Add([]byte("=\x00\x00a\x00b="), uint8(3))
	f.Fuzz(func(t *testing.T, text []byte, mode uint8) {
		s := side(1 + mode&1)
		n := testNegotiation(s)
		n.discovery, n.joins = mode&2 != 0, mode&4 != 0
		if s == initiator {
			for i := range keys {
				if _, ok := n.own[keys[i].name]; ok && keys[i].result != nil {
					n.offer(keys[i].name)
				}
			}
		}
		phase := phase(1) << (mode >> 3 & 1)
		for p, err := range textPairs(text) {
			if err != nil || n.receive(phase, p) != nil {
				break
			}
		}
		checkNegotiation(t, n)
	})
}

func checkNegotiation(t *testing.T, n *negotiation) {
	t.Helper()
	for name, v := range n.settled {
		k := lookup(name)
		if v == k.def {
			continue
		}
		if c, err := k.canonical(v); err != nil || c != v {
			t.Errorf("%s settled at %q: %v", name, v, err)
		}
		if own := n.operand(k); k.result(own, v) != v && k.result(v, own) != v {
			t.Errorf("%s settled at %q against our own %q", name, v, own)
		}
	}
	var p Params
	p.outcome(n)
	checkParams(t, &p)
	if len(n.foreign) > maxForeign {
		t.Errorf("%d foreign keys", len(n.foreign))
	}
}

// checkParams holds an outcome against the ranges of the RFC.
func checkParams(t *testing.T, p *Params) {
	t.Helper()
	for name, n := range map[string]int{
		"MaxRecvDataSegmentLength": p.MaxRecvDataSegmentLength,
		"MaxXmitDataSegmentLength": p.MaxXmitDataSegmentLength,
		"FirstBurstLength":         p.FirstBurstLength,
		"MaxBurstLength":           p.MaxBurstLength,
	} {
		if n < 512 || n > 1<<24-1 {
			t.Errorf("%s %d", name, n)
		}
	}
	if p.FirstBurstLength > p.MaxBurstLength {
		t.Errorf("FirstBurstLength %d, MaxBurstLength %d", p.FirstBurstLength, p.MaxBurstLength)
	}
	if p.MaxOutstandingR2T < 1 || p.MaxConnections < 1 || p.ErrorRecoveryLevel < 0 || p.ErrorRecoveryLevel > 2 {
		t.Errorf("outcome %+v", p)
	}
	if p.DefaultTime2Wait < 0 || p.DefaultTime2Wait.Hours() > 1 || p.DefaultTime2Retain.Hours() > 1 {
		t.Errorf("times %v %v", p.DefaultTime2Wait, p.DefaultTime2Retain)
	}
}
