package login

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestKeyTable holds the table against what the RFC says of each key: syntax
// with range, default, senders, stages (s, o, f), and whether it is irrelevant
// in discovery (n), of the leading login only (l), or repeats (r).
func TestKeyTable(t *testing.T) {
	want := `
AuthMethod list "" IT s
HeaderDigest list "None" IT o
DataDigest list "None" IT o
MaxConnections 1-65535 "1" IT o nl
SendTargets text "" I f
TargetName text "" IT sof
InitiatorName text "" I sof
TargetAlias text "" T sof
InitiatorAlias text "" I sof
TargetAddress text "" T sof r
TargetPortalGroupTag 0-65535 "" T sof
InitialR2T bool "Yes" IT o nl
ImmediateData bool "Yes" IT o nl
MaxRecvDataSegmentLength 512-16777215 "8192" IT of
MaxBurstLength 512-16777215 "262144" IT o nl
FirstBurstLength 512-16777215 "65536" IT o nl
DefaultTime2Wait 0-3600 "2" IT o l
DefaultTime2Retain 0-3600 "20" IT o l
MaxOutstandingR2T 1-65535 "1" IT o nl
DataPDUInOrder bool "Yes" IT o nl
DataSequenceInOrder bool "Yes" IT o nl
ErrorRecoveryLevel 0-2 "0" IT o l
SessionType text "Normal" I sof l
TaskReporting list "RFC3720" IT o nl
iSCSIProtocolLevel 0-31 "1" IT o nl
OFMarker text "" IT o
IFMarker text "" IT o
OFMarkInt text "" IT o
IFMarkInt text "" IT o
`
	var got strings.Builder
	for i := range keys {
		fmt.Fprintln(&got, strings.TrimRight(describe(&keys[i]), " "))
	}
	if d := cmp.Diff(strings.TrimSpace(got.String()), strings.TrimSpace(want)); d != "" {
		t.Errorf("table (-got +want):\n%s", d)
	}
}

func describe(k *key) string {
	syntax := map[kind]string{text: "text", boolean: "bool", list: "list", number: fmt.Sprintf("%d-%d", k.min, k.max)}[k.kind]
	flags := ""
	for _, f := range []struct {
		on   bool
		name string
	}{{k.normal, "n"}, {k.leading, "l"}, {k.repeats, "r"}} {
		if f.on {
			flags += f.name
		}
	}
	senders, stages := "", ""
	if k.senders&initiator != 0 {
		senders += "I"
	}
	if k.senders&target != 0 {
		senders += "T"
	}
	for i, name := range []string{"s", "o", "f"} {
		if k.phase&(1<<i) != 0 {
			stages += name
		}
	}
	return fmt.Sprintf("%s %s %q %s %s %s", k.name, syntax, k.def, senders, stages, flags)
}

// Every default is a value that the key may have.
func TestDefaultsAreCanonical(t *testing.T) {
	for i := range keys {
		k := &keys[i]
		if k.def == "" {
			continue
		}
		if got, err := k.canonical(k.def); err != nil || got != k.def {
			t.Errorf("%s: default %q: got %q, %v", k.name, k.def, got, err)
		}
	}
}

// TestResultFunctions has the RFC's result function of every negotiated key:
// what comes out of an offer and the responder's own value.
func TestResultFunctions(t *testing.T) {
	minimum := [][3]string{{"512", "1024", "512"}, {"1024", "512", "512"}, {"600", "600", "600"}}
	maximum := [][3]string{{"2", "5", "5"}, {"5", "2", "5"}, {"0", "0", "0"}}
	and := [][3]string{{"Yes", "Yes", "Yes"}, {"Yes", "No", "No"}, {"No", "Yes", "No"}, {"No", "No", "No"}}
	or := [][3]string{{"Yes", "Yes", "Yes"}, {"Yes", "No", "Yes"}, {"No", "Yes", "Yes"}, {"No", "No", "No"}}
	digest := [][3]string{
		{"None", "None", "None"},
		{"CRC32C,None", "None,CRC32C", "CRC32C"},
		{"None,CRC32C", "CRC32C,None", "None"},
		{"X-new,CRC32C", "None,CRC32C", "CRC32C"},
		{"CRC32C", "None", "Reject"},
	}
	cases := map[string][][3]string{
		"MaxConnections":      {{"1", "4", "1"}, {"4", "1", "1"}},
		"MaxBurstLength":      minimum,
		"FirstBurstLength":    minimum,
		"DefaultTime2Wait":    maximum,
		"DefaultTime2Retain":  {{"20", "0", "0"}, {"0", "20", "0"}},
		"MaxOutstandingR2T":   {{"16", "1", "1"}, {"1", "16", "1"}},
		"ErrorRecoveryLevel":  {{"2", "0", "0"}, {"0", "2", "0"}},
		"iSCSIProtocolLevel":  {{"2", "1", "1"}, {"1", "2", "1"}},
		"InitialR2T":          or,
		"DataPDUInOrder":      or,
		"DataSequenceInOrder": or,
		"ImmediateData":       and,
		"HeaderDigest":        digest,
		"DataDigest":          digest,
		"AuthMethod":          {{"CHAP,None", "None,CHAP", "CHAP"}, {"None", "CHAP", "Reject"}, {"CHAP", "None", "Reject"}},
		"TaskReporting":       {{"FastAbort,RFC3720", "RFC3720", "RFC3720"}},
		"OFMarker":            {{"Yes", "", "Reject"}, {"No", "", "Reject"}},
		"IFMarker":            {{"Yes", "", "Reject"}},
		"OFMarkInt":           {{"2048~8192", "", "Reject"}},
		"IFMarkInt":           {{"2048~8192", "", "Reject"}},
	}
	for i := range keys {
		k := &keys[i]
		if k.result != nil && len(cases[k.name]) == 0 {
			t.Errorf("%s has no case", k.name)
		}
		for _, c := range cases[k.name] {
			got := k.result(c[0], c[1])
			if got != c[2] {
				t.Errorf("%s: offer %s, own %s: got %s, want %s", k.name, c[0], c[1], got, c[2])
			}
			// How a proposer checks an answer relies on this.
			if got != valueReject && k.result(c[0], got) != got {
				t.Errorf("%s: offer %s: the answer %s does not hold against the offer", k.name, c[0], got)
			}
		}
	}
}

func TestNumbers(t *testing.T) {
	k := lookup(keyMaxBurstLength)
	for in, want := range map[string]string{
		"512": "512", "16777215": "16777215", "0x200": "512", "0X400": "1024", "0xFFFFFF": "16777215", "0xabc0": "43968",
		"511": "", "16777216": "", "": "", "0x": "", "-512": "", "+512": "", "512 ": "", " 512": "", "5_12": "",
		"99999999999999999999": "", "0b1000000000": "", "512~1024": "", "Yes": "", "0x1g": "", "5e3": "",
	} {
		got, err := k.canonical(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestOtherValues(t *testing.T) {
	for _, c := range []struct {
		key, value string
		ok         bool
	}{
		{"InitialR2T", "Yes", true},
		{"InitialR2T", "No", true},
		{"InitialR2T", "yes", false},
		{"InitialR2T", "1", false},
		{"InitialR2T", "", false},
		{"HeaderDigest", "None", true},
		{"HeaderDigest", "CRC32C,None", true},
		{"HeaderDigest", "", false},
		{"HeaderDigest", "None,", false},
		{"HeaderDigest", ",", false},
		{"TargetAlias", strings.Repeat("a", 255), true},
		{"TargetAlias", strings.Repeat("a", 256), false},
		{"TargetAlias", "", true},
	} {
		if _, err := lookup(c.key).canonical(c.value); (err == nil) != c.ok {
			t.Errorf("%s=%s: got %v, want ok %v", c.key, quoteValue(c.value), err, c.ok)
		}
	}
}
