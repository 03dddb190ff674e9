package scsi

import (
	"errors"
	"strings"
	"testing"
)

func TestSupportedPagesGolden(t *testing.T) {
	var s SupportedPages
	for _, p := range []VPDPage{VPDSupported, VPDSerial, VPDIdentification, VPDProvisioning} {
		s[p] = true
	}
	data := unhex(t, "00 00 0004 00 80 83 b2")
	golden(t, s, data, func(s SupportedPages, b []byte) []byte { return s.Append(b) }, ParseSupportedPages)
	truncations(t, data, len(data), ParseSupportedPages)
	if !s.Has(VPDSerial) || s.Has(VPDBlockLimits) {
		t.Error("Has: got another set of pages")
	}
}

func TestSerialGolden(t *testing.T) {
	data := unhex(t, "00 80 0006 41 42 2d 30 30 31")
	golden(t, "AB-001", data, func(s string, b []byte) []byte { return AppendSerial(b, s) }, ParseSerial)
	truncations(t, data, len(data), ParseSerial)
}

func TestSerialText(t *testing.T) {
	tests := []struct{ in, want string }{
		{"00 80 0000", ""},
		{"00 80 0006 20 20 41 20 20 00", "A"},
		{"00 80 0003 41 1b 5b", `A\x1b[`},
		{"00 80 0001 5c", `\x5c`},
		{"00 80 0001 e9", `\xe9`},
		{"00 80 0001 41 42", "A"}, // bytes after the page
	}
	for _, test := range tests {
		got, err := ParseSerial(unhex(t, test.in))
		if err != nil || got != test.want {
			t.Errorf("%s: got %q, %v, want %q", test.in, got, err, test.want)
		}
	}
}

func TestAppendSerialCuts(t *testing.T) {
	got := AppendSerial(nil, strings.Repeat("a", 70000))
	equal(t, len(got), 4+65535)
}

var blockLimits = BlockLimits{
	WSNZ: true, MaxCompareAndWrite: 1, Granularity: 0x0203, MaxTransfer: 0x04050607, OptimalTransfer: 0x08090a0b,
	MaxPrefetch: 0x0c0d0e0f, MaxUnmapBlocks: 0x10111213, MaxUnmapRanges: 0x14151617, UnmapGranularity: 0x18191a1b,
	UnmapAlignment: 0x1c1d1e1f, UGAValid: true, MaxWriteSame: 0x2021222324252627,
}

const blockLimitsGolden = `00 b0 003c 01 01 0203 04050607 08090a0b 0c0d0e0f 10111213 14151617 18191a1b 9c1d1e1f 2021222324252627
	0000000000000000 0000000000000000 00000000`

func TestBlockLimitsGolden(t *testing.T) {
	data := unhex(t, blockLimitsGolden)
	golden(t, blockLimits, data, func(l BlockLimits, b []byte) []byte { return l.Append(b) }, ParseBlockLimits)
	truncations(t, data, vpdHeaderLen, ParseBlockLimits)
}

func TestBlockLimitsShort(t *testing.T) {
	data := unhex(t, blockLimitsGolden)
	data[2], data[3] = 0, 0x0c // SBC-2: up to the optimal transfer length
	got, err := ParseBlockLimits(data)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, BlockLimits{WSNZ: true, MaxCompareAndWrite: 1, Granularity: 0x0203, MaxTransfer: 0x04050607, OptimalTransfer: 0x08090a0b})
}

func TestBlockLimitsAlignmentKeepsToItsBits(t *testing.T) {
	l := BlockLimits{UnmapAlignment: 1 << 31}
	got, err := ParseBlockLimits(l.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, BlockLimits{})
}

func TestCharacteristicsGolden(t *testing.T) {
	data := append(unhex(t, "00 b1 003c 0001 00 03 02"), make([]byte, 55)...)
	golden(t, Characteristics{RotationRate: NonRotating, FormFactor: 3, FUAB: true}, data,
		func(c Characteristics, b []byte) []byte { return c.Append(b) }, ParseCharacteristics)
	truncations(t, data, vpdHeaderLen, ParseCharacteristics)
}

func TestProvisioningGolden(t *testing.T) {
	app := func(p Provisioning, b []byte) []byte { return p.Append(b) }
	data := unhex(t, "00 b2 0004 0a e6 02 00")
	all := Provisioning{ThresholdExponent: 10, LBPU: true, LBPWS: true, LBPWS10: true, LBPRZ: true, AncSup: true, Type: ProvisioningThin}
	golden(t, all, data, app, ParseProvisioning)
	truncations(t, data, vpdHeaderLen, ParseProvisioning)
	for in, want := range map[string]Provisioning{
		"00 b2 0004 00 80 00 00": {LBPU: true},
		"00 b2 0004 00 40 00 00": {LBPWS: true},
		"00 b2 0004 00 20 00 00": {LBPWS10: true},
		"00 b2 0004 00 04 00 00": {LBPRZ: true},
		"00 b2 0004 00 02 01 00": {AncSup: true, Type: ProvisioningResource},
	} {
		golden(t, want, unhex(t, in), app, ParseProvisioning)
	}
}

func TestVPDWrongPage(t *testing.T) {
	_, err := ParseBlockLimits(unhex(t, "00 b1 0000"))
	var f *FormatError
	if !errors.As(err, &f) || f.Need != 0 {
		t.Fatalf("got %v, want a FormatError without Need", err)
	}
	equal(t, err.Error(), "scsi: VPD page b0: the target sent VPD page b1 instead")
}
