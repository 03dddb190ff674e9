package scsi

import (
	"errors"
	"testing"
)

func designator(t testing.TB, a Association, typ DesignatorType, cs CodeSet, id string) Designator {
	return Designator{CodeSet: cs, Association: a, Type: typ, ID: unhex(t, id)}
}

func TestDesignatorsGolden(t *testing.T) {
	want := []Designator{
		designator(t, AssociationLUN, DesignatorNAA, CodeSetBinary, "6001405000000001 0000000000000002"),
		{CodeSet: CodeSetASCII, Type: DesignatorT10, ID: []byte("HAWSER  disk")},
		PortDesignator(DesignatorRelativePort, 0x0102),
		PortDesignator(DesignatorTargetPortGroup, 0x0304),
		{CodeSet: CodeSetUTF8, Association: AssociationDevice, Type: DesignatorName, ProtocolValid: true, Protocol: ProtocolISCSI, ID: []byte("iqn.a\x00\x00\x00")},
	}
	data := unhex(t, `00 83 0040
		01 03 00 10 60014050000000010000000000000002
		02 01 00 0c 484157534552202064 69736b
		01 14 00 04 00000102
		01 15 00 04 00000304
		53 a8 00 08 69716e2e61000000`)
	golden(t, want, data, func(ds []Designator, b []byte) []byte { return AppendDesignators(b, ds...) }, ParseDesignators)
	truncations(t, data, len(data), ParseDesignators)

	group, ok := TargetPortGroup(want)
	equal(t, []any{group, ok}, []any{uint16(0x0304), true})
	port, ok := RelativeTargetPort(want)
	equal(t, []any{port, ok}, []any{uint16(0x0102), true})
	if _, ok := TargetPortGroup(want[:3]); ok {
		t.Error("no group designator: got a group")
	}
}

func TestDesignatorsAreCopies(t *testing.T) {
	data := AppendDesignators(nil, PortDesignator(DesignatorRelativePort, 1))
	ds, err := ParseDesignators(data)
	if err != nil {
		t.Fatal(err)
	}
	clear(data)
	equal(t, ds, []Designator{PortDesignator(DesignatorRelativePort, 1)})
}

func TestDesignatorBeyondPage(t *testing.T) {
	for _, in := range []string{"00 83 0006 01 03 00 10 6001", "00 83 0003 01 03 00", "00 83 0005 01 03 00 00 01"} {
		_, err := ParseDesignators(unhex(t, in))
		if f := (*FormatError)(nil); !errors.As(err, &f) || f.Need != 0 {
			t.Errorf("%s: got %v, want a FormatError that a longer answer does not help", in, err)
		}
	}
}

func TestLUNIdentity(t *testing.T) {
	const lun = AssociationLUN
	naa6 := designator(t, lun, DesignatorNAA, CodeSetBinary, "6001405000000001 0000000000000002")
	naa5 := designator(t, lun, DesignatorNAA, CodeSetBinary, "5000000000000001")
	naa2 := designator(t, lun, DesignatorNAA, CodeSetBinary, "2000000000000001")
	naa3 := designator(t, lun, DesignatorNAA, CodeSetBinary, "3000000000000001")
	eui := designator(t, lun, DesignatorEUI64, CodeSetBinary, "0025380000000001")
	uuid := designator(t, lun, DesignatorUUID, CodeSetBinary, "1000 00112233445566778899aabbccddeeff")
	t10 := Designator{CodeSet: CodeSetASCII, Type: DesignatorT10, ID: []byte("IET     00010001\x00")}
	name := Designator{CodeSet: CodeSetUTF8, Type: DesignatorName, ID: []byte("iqn.2026-11.io:lun\x00\x00")}

	ranked := []Designator{naa6, naa5, naa2, naa3, eui, uuid, t10, name}
	texts := []string{
		"naa.60014050000000010000000000000002", "naa.5000000000000001", "naa.2000000000000001", "naa.3000000000000001",
		"eui.0025380000000001", "uuid.00112233445566778899aabbccddeeff", "t10.IET     00010001", "iqn.2026-11.io:lun",
	}
	for i := range ranked {
		reversed := []Designator{}
		for j := len(ranked) - 1; j >= i; j-- {
			reversed = append(reversed, ranked[j])
		}
		for _, ds := range [][]Designator{ranked[i:], reversed} {
			got, ok := LUNIdentity(ds)
			if !ok || got.String() != texts[i] {
				t.Errorf("got %v, %v, want %s", got, ok, texts[i])
			}
		}
	}
}

func TestLUNIdentityOrderDoesNotMatter(t *testing.T) {
	a := designator(t, AssociationLUN, DesignatorNAA, CodeSetBinary, "5000000000000001")
	b := designator(t, AssociationLUN, DesignatorNAA, CodeSetBinary, "5000000000000002")
	for _, ds := range [][]Designator{{a, b}, {b, a}} {
		got, ok := LUNIdentity(ds)
		if !ok || got.String() != a.String() {
			t.Errorf("got %v, want %v", got, a)
		}
	}
}

func TestLUNIdentityRefuses(t *testing.T) {
	bad := []Designator{
		designator(t, AssociationPort, DesignatorNAA, CodeSetBinary, "5000000000000001"),
		designator(t, AssociationDevice, DesignatorNAA, CodeSetBinary, "5000000000000001"),
		designator(t, AssociationLUN, DesignatorNAA, CodeSetASCII, "5000000000000001"),
		designator(t, AssociationLUN, DesignatorNAA, CodeSetBinary, "6000000000000001"), // form 6 has 16 bytes
		designator(t, AssociationLUN, DesignatorNAA, CodeSetBinary, "5000000000000000"),
		designator(t, AssociationLUN, DesignatorNAA, CodeSetBinary, "50"),
		designator(t, AssociationLUN, DesignatorNAA, CodeSetBinary, ""),
		designator(t, AssociationLUN, DesignatorNAA, CodeSetBinary, "1000000000000001"),
		designator(t, AssociationLUN, DesignatorEUI64, CodeSetBinary, "0000000000000000"),
		designator(t, AssociationLUN, DesignatorEUI64, CodeSetBinary, "002538"),
		designator(t, AssociationLUN, DesignatorUUID, CodeSetBinary, "1000 0011"),
		designator(t, AssociationLUN, DesignatorVendor, CodeSetBinary, "0102030405060708"),
		{CodeSet: CodeSetASCII, Type: DesignatorT10, ID: []byte("IET     ")},
		{CodeSet: CodeSetASCII, Type: DesignatorT10, ID: []byte("IET         ")},
		{CodeSet: CodeSetUTF8, Type: DesignatorName, ID: []byte("iqn.")},
	}
	for _, d := range bad {
		if got, ok := LUNIdentity([]Designator{d}); ok {
			t.Errorf("%+v: got %v as identity, want none", d, got)
		}
	}
	if _, ok := LUNIdentity(nil); ok {
		t.Error("no designators: got an identity")
	}
}

func TestDesignatorStringIsPrintable(t *testing.T) {
	d := Designator{CodeSet: CodeSetASCII, Type: DesignatorT10, ID: []byte("A\x1b[31m")}
	equal(t, d.String(), `t10.A\x1b[31m`)
	d = Designator{CodeSet: CodeSetBinary, Type: DesignatorVendor, ID: []byte{1, 0xff}}
	equal(t, d.String(), "type0.01ff")
	d = Designator{CodeSet: CodeSetBinary, Type: DesignatorUUID}
	equal(t, d.String(), "uuid.")
}
