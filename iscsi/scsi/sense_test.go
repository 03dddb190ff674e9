package scsi

import (
	"math/rand/v2"
	"testing"
)

func TestSenseGolden(t *testing.T) {
	tests := []struct {
		name, in string
		app      func([]byte, Sense) []byte
		want     Sense
	}{
		{"fixed", "70 00 05 00000000 0a 00000000 24 00 00 c00002", AppendFixedSense, InvalidFieldInCDB(2)},
		{"fixed, parameters", "70 00 05 00000000 0a 00000000 26 00 00 800102", AppendFixedSense, InvalidFieldInParameters(0x0102)},
		{
			"fixed, information", "f0 00 03 01020304 0a 00000000 11 00 00 000000", AppendFixedSense,
			Sense{Key: KeyMediumError, ASC: 0x11, Information: 0x01020304, InfoValid: true},
		},
		{"fixed, deferred", "71 00 04 00000000 0a 00000000 44 00 00 000000", AppendFixedSense, Sense{Deferred: true, Key: KeyHardwareError, ASC: 0x44}},
		{"descriptor", "72 06 29 01 00 00 00 00", AppendDescriptorSense, NewSense(KeyUnitAttention, CodePowerOn)},
		{"descriptor, deferred", "73 03 0c 00 00 00 00 00", AppendDescriptorSense, Sense{Deferred: true, Key: KeyMediumError, ASC: 0x0c}},
		{
			"descriptor, all", "72 05 24 00 00 00 00 14 00 0a 80 00 0102030405060708 02 06 0000 c0000a 00", AppendDescriptorSense,
			Sense{Key: KeyIllegalRequest, ASC: 0x24, Information: 0x0102030405060708, InfoValid: true, Specific: [3]byte{0xc0, 0, 10}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			data := unhex(t, test.in)
			equal(t, test.app([]byte("x"), test.want), append([]byte("x"), data...))
			got, ok := ParseSense(data)
			if !ok {
				t.Fatal("not parsed")
			}
			equal(t, got, test.want)
		})
	}
}

func TestSenseTruncated(t *testing.T) {
	s := Sense{Key: KeyIllegalRequest, ASC: 0x24, ASCQ: 1, Information: 7, InfoValid: true, Specific: [3]byte{0xc0, 0, 10}}
	for _, test := range []struct {
		data                         []byte
		key, info, asc, ascq, fields int // from how many bytes on each is there
	}{
		{AppendFixedSense(nil, s), 3, 7, 13, 14, 18},
		{AppendDescriptorSense(nil, s), 4, 20, 4, 4, 28},
	} {
		for n := range len(test.data) + 1 {
			var want Sense
			if n >= test.key {
				want.Key = s.Key
			}
			if n >= test.asc {
				want.ASC = s.ASC
			}
			if n >= test.ascq {
				want.ASCQ = s.ASCQ
			}
			if n >= test.info {
				want.Information, want.InfoValid = 7, true
			}
			if n >= test.fields {
				want.Specific = s.Specific
			}
			got, ok := ParseSense(test.data[:n:n])
			if ok != (n >= test.key) {
				t.Errorf("%d bytes: got %v", n, ok)
			}
			equal(t, got, want)
		}
	}
}

func TestSenseRules(t *testing.T) {
	tests := []struct {
		name, in string
		want     Sense
		fails    bool
	}{
		{name: "nothing", in: "", fails: true},
		{name: "unknown format", in: "7f 00 05 00000000 0a 00000000 24 00 00 000000", fails: true},
		{name: "format 74", in: "74 00 05 00000000", fails: true},
		{name: "additional length ends before ASC", in: "70 00 05 00000000 04 00000000 24 00 00 000000", want: Sense{Key: KeyIllegalRequest}},
		{name: "additional length ends before ASCQ", in: "70 00 05 00000000 05 00000000 24 01 00 000000", want: Sense{Key: KeyIllegalRequest, ASC: 0x24}},
		{name: "filemark, EOM and ILI are not the key", in: "70 00 e3 00000000 0a 00000000 11 00 00 000000", want: Sense{Key: KeyMediumError, ASC: 0x11}},
		{name: "information without VALID", in: "70 00 03 01020304 0a 00000000 11 00 00 000000", want: Sense{Key: KeyMediumError, ASC: 0x11}},
		{name: "information descriptor without VALID", in: "72 03 11 00 00 00 00 0c 00 0a 00 00 0102030405060708", want: Sense{Key: KeyMediumError, ASC: 0x11}},
		{name: "unknown descriptor first", in: "72 05 24 00 00 00 00 0c 80 02 ffff 02 06 0000 c0000a 00", want: InvalidFieldInCDB(10)},
		{name: "descriptor beyond the data", in: "72 05 24 00 00 00 00 ff 02 ff 0000 c0000a 00", want: NewSense(KeyIllegalRequest, CodeInvalidFieldInCDB)},
		{name: "descriptors of no length", in: "72 05 24 00 00 00 00 04 02 00 00 00", want: NewSense(KeyIllegalRequest, CodeInvalidFieldInCDB)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, ok := ParseSense(unhex(t, test.in))
			if ok == test.fails {
				t.Fatalf("got %v", ok)
			}
			equal(t, got, test.want)
		})
	}
}

func TestFixedSenseLeavesOutLongInformation(t *testing.T) {
	s := Sense{Key: KeyMediumError, ASC: 0x11, Information: 1 << 32, InfoValid: true}
	got, _ := ParseSense(AppendFixedSense(nil, s))
	equal(t, got, NewSense(KeyMediumError, CodeUnrecoveredRead))
	got, _ = ParseResponseSense(AppendResponseSense(nil, s))
	equal(t, got, s)
}

func TestResponseSense(t *testing.T) {
	s := NewSense(KeyNotReady, CodeTransitioning)
	data := unhex(t, "0012 70 00 02 00000000 0a 00000000 04 0a 00 000000")
	equal(t, AppendResponseSense(nil, s), data)
	for name, in := range map[string][]byte{
		"as it is":          data,
		"response data":     append(data[:len(data):len(data)], 1, 2, 3, 4),
		"length beyond":     append([]byte{0xff, 0xff}, data[2:]...),
		"length without it": append([]byte{0, 14}, data[2:]...),
	} {
		got, ok := ParseResponseSense(in)
		if !ok {
			t.Errorf("%s: not parsed", name)
		}
		equal(t, got, s)
	}
	for _, in := range []string{"", "00", "0000", "0000 70 00 02", "0012"} {
		if _, ok := ParseResponseSense(unhex(t, in)); ok {
			t.Errorf("%q: got sense", in)
		}
	}
}

func TestSenseRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 10000 {
		want := Sense{Deferred: r.IntN(2) == 0, Key: SenseKey(r.IntN(16)), ASC: uint8(r.Uint32()), ASCQ: uint8(r.Uint32())}
		if r.IntN(2) == 0 {
			want.InfoValid, want.Information = true, r.Uint64()>>r.IntN(64)
		}
		if r.IntN(2) == 0 {
			want.Specific = [3]byte{0x80 | byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())}
		}
		got, ok := ParseResponseSense(AppendResponseSense(nil, want))
		if !ok || got != want {
			t.Fatalf("got %+v, %v, want %+v", got, ok, want)
		}
	}
}

func TestSenseString(t *testing.T) {
	for want, s := range map[string]Sense{
		"ILLEGAL REQUEST (5/24/00): invalid field in CDB":               InvalidFieldInCDB(3),
		"NOT READY (2/04/0b): target port in standby state":             NewSense(KeyNotReady, CodeStandby),
		"deferred MEDIUM ERROR (3/0c/00): write error":                  {Deferred: true, Key: KeyMediumError, ASC: 0x0c},
		"HARDWARE ERROR (4/40/83): diagnostic failure on component 83":  {Key: KeyHardwareError, ASC: 0x40, ASCQ: 0x83},
		"ABORTED COMMAND (b/4d/05): tagged overlapped commands, tag 05": {Key: KeyAbortedCommand, ASC: 0x4d, ASCQ: 5},
		"VENDOR SPECIFIC (9/81/01): vendor specific":                    {Key: KeyVendorSpecific, ASC: 0x81, ASCQ: 1},
		"NO SENSE (0/00/00)":        {},
		"ILLEGAL REQUEST (5/25/07)": {Key: KeyIllegalRequest, ASC: 0x25, ASCQ: 7},
	} {
		equal(t, s.String(), want)
	}
	equal(t, CodeALUAStateChanged.String(), "2a/06: asymmetric access state changed")
	equal(t, SenseKey(0x10).String(), "sense key 0x10")
}

// Every code that the host decides by has a text.
func TestDispositionCodesHaveTexts(t *testing.T) {
	for _, c := range []Code{
		0x0400, 0x0401, 0x0402, 0x0403, 0x0404, 0x0405, 0x0406, 0x0407, 0x0408, 0x0409, 0x040a, 0x040b, 0x040c, 0x0411, 0x0412, 0x0414,
		0x041a, 0x041b, 0x041d, 0x0424, 0x0425, 0x1001, 0x1002, 0x1003, 0x1100, 0x1300, 0x1400, 0x2000, 0x2100, 0x2200, 0x2400, 0x2500,
		0x2600, 0x2700, 0x2707, 0x2800, 0x2900, 0x2904, 0x2907, 0x2a01, 0x2a06, 0x2a07, 0x2a09, 0x2e01, 0x2e02, 0x2e03, 0x3807, 0x3a00,
		0x3f03, 0x3f0e, 0x4400, 0x4701, 0x4705, 0x477f,
	} {
		if c.text() == "" {
			t.Errorf("%v has no text", c)
		}
	}
}

func TestFieldPointer(t *testing.T) {
	offset, inCDB, ok := InvalidFieldInCDB(8).FieldPointer()
	equal(t, []any{offset, inCDB, ok}, []any{uint16(8), true, true})
	offset, inCDB, ok = InvalidFieldInParameters(0x0304).FieldPointer()
	equal(t, []any{offset, inCDB, ok}, []any{uint16(0x0304), false, true})
	for _, s := range []Sense{{Key: KeyIllegalRequest}, {Key: KeyNotReady, Specific: [3]byte{0x80, 1, 2}}} {
		if _, _, ok := s.FieldPointer(); ok {
			t.Errorf("%v: got a pointer", s)
		}
	}
}
