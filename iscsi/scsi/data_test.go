package scsi

import (
	"errors"
	"math"
	"testing"
)

func TestInquiryDataGolden(t *testing.T) {
	d := InquiryData{
		Qualifier: 1, Type: TypeArray, Removable: true, Version: 6, TPGS: TPGSBoth, ThreePC: true, Protect: true, EncServ: true,
		MultiP: true, CmdQue: true, Vendor: "HAWSER", Product: "virtual disk", Revision: "1.0",
		Standards: [8]uint16{0x0960, 0x0460, 0x04c0},
	}
	data := unhex(t, `2c 80 06 02 5b 39 50 02 4841575345522020 7669727475616c206469736b20202020 312e3020
		0000000000000000000000000000000000000000 0000 0960 0460 04c0 0000000000000000 0000
		00000000000000000000000000000000000000000000`)
	golden(t, d, data, func(d InquiryData, b []byte) []byte { return d.Append(b) }, ParseInquiryData)
	truncations(t, data, inquiryMinLen, ParseInquiryData)
	equal(t, len(data), InquiryLen)
}

func TestInquiryDataShort(t *testing.T) {
	got, err := ParseInquiryData(unhex(t, "00 00 05 02 03 30 00 02 4841")) // additional length 3: the vendor is not told
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, InquiryData{Version: 5, TPGS: TPGSBoth, CmdQue: true})
}

func TestInquiryDataPresent(t *testing.T) {
	for in, want := range map[InquiryData]bool{
		{}:                               true,
		{Type: TypeUnknown}:              false,
		{Qualifier: 1}:                   false,
		{Qualifier: 3, Type: 0x1f}:       false,
		{Type: TypeArray, Version: 0xff}: true,
	} {
		if got := in.Present(); got != want {
			t.Errorf("%+v: got %v, want %v", in, got, want)
		}
	}
}

func TestInquiryDataCutsTexts(t *testing.T) {
	d := InquiryData{Vendor: "123456789", Product: "12345678901234567", Revision: "12345"}
	got, err := ParseInquiryData(d.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, InquiryData{Vendor: "12345678", Product: "1234567890123456", Revision: "1234"})
}

func TestCapacity10(t *testing.T) {
	app := func(c Capacity, b []byte) []byte { return c.Append10(b) }
	data := unhex(t, "0000000f 00000200")
	golden(t, Capacity{Blocks: 16, BlockSize: 512}, data, app, ParseCapacity10)
	truncations(t, data, len(data), ParseCapacity10)
	golden(t, Capacity{Blocks: 1, BlockSize: 4096}, unhex(t, "00000000 00001000"), app, ParseCapacity10)
	golden(t, Capacity{Blocks: math.MaxUint32, BlockSize: 65536}, unhex(t, "fffffffe 00010000"), app, ParseCapacity10)
	for _, blocks := range []uint64{1 << 32, 1<<32 + 1, 1 << 50} {
		c := Capacity{Blocks: blocks, BlockSize: 512}
		got := c.Append10(nil)
		equal(t, got, unhex(t, "ffffffff 00000200"))
		if _, err := ParseCapacity10(got); !errors.Is(err, ErrUseReadCapacity16) {
			t.Errorf("got %v, want ErrUseReadCapacity16", err)
		}
	}
}

func TestCapacity16Golden(t *testing.T) {
	app := func(c Capacity, b []byte) []byte { return c.Append16(b) }
	data := append(unhex(t, "000000ffffffffff 00000200 05 03 d234"), make([]byte, 16)...)
	golden(t, Capacity{Blocks: 1 << 40, BlockSize: 512, LBPME: true, LBPRZ: true, LBPPBE: 3, LowestAligned: 0x1234, Protection: 3}, data, app, ParseCapacity16)
	for n := range len(data) {
		_, err := ParseCapacity16(data[:n:n])
		if (err != nil) != (n < capacity16MinLen) {
			t.Errorf("%d bytes: got %v", n, err)
		}
	}
	for in, want := range map[string]Capacity{
		"0000000000000000 00001000 00 00 8000": {Blocks: 1, BlockSize: 4096, LBPME: true},
		"0000000000000000 00001000 00 00 4000": {Blocks: 1, BlockSize: 4096, LBPRZ: true},
		"0000000000000000 00001000 01 00 0000": {Blocks: 1, BlockSize: 4096, Protection: 1},
	} {
		golden(t, want, append(unhex(t, in), make([]byte, 16)...), app, ParseCapacity16)
	}
}

func TestCapacityRefuses(t *testing.T) {
	for _, in := range []string{
		"0000000000000fff 00000000", // block size 0
		"0000000000000fff 00000100", // 256
		"0000000000000fff 00000208", // 520
		"0000000000000fff 00020000", // 128 KiB
		"0000000000000fff ffffffff",
		"ffffffffffffffff 00000200", // one more block than can be counted
		"fffffffffffffffe 00000200",
		"003fffffffffffff 00000200", // 2^63 bytes
	} {
		_, err := ParseCapacity16(unhex(t, in))
		if f := (*FormatError)(nil); !errors.As(err, &f) {
			t.Errorf("%s: got %v, want a FormatError", in, err)
		}
	}
	c, err := ParseCapacity16(unhex(t, "003ffffffffffffe 00000200"))
	if err != nil || c.Bytes() != math.MaxInt64-511 {
		t.Errorf("largest: got %d bytes, %v", c.Bytes(), err)
	}
}

var modeData = ModeData{
	WriteProtected: true, DPOFUA: true,
	HasCaching: true, Caching: CachingPage{WCE: true, RCD: true},
	HasControl: true, Control: ControlPage{TST: 1, DSense: true, QErr: 3, SWP: true, TAS: true, Busy: 0xffff},
}

const (
	cachingGolden = "08 12 05 0000000000000000000000000000000000"
	controlGolden = "0a 0a 24 06 08 40 0000 ffff 0000"
)

func TestModeDataGolden(t *testing.T) {
	six := unhex(t, "23 00 90 00"+cachingGolden+controlGolden)
	golden(t, modeData, six, func(m ModeData, b []byte) []byte { return m.Append6(b) }, ParseMode6)
	truncations(t, six, mode6HeaderLen, ParseMode6)
	ten := unhex(t, "0026 00 90 00 00 0000"+cachingGolden+controlGolden)
	golden(t, modeData, ten, func(m ModeData, b []byte) []byte { return m.Append10(b) }, ParseMode10)
	truncations(t, ten, mode10HeaderLen, ParseMode10)
}

func TestModeDataFlags(t *testing.T) {
	app := func(m ModeData, b []byte) []byte { return m.Append6(b) }
	for in, want := range map[string]ModeData{
		"03 00 00 00": {},
		"03 00 80 00": {WriteProtected: true},
		"03 00 10 00": {DPOFUA: true},
		"17 00 00 00 08 12 04 0000000000000000000000000000000000": {HasCaching: true, Caching: CachingPage{WCE: true}},
		"17 00 00 00 08 12 01 0000000000000000000000000000000000": {HasCaching: true, Caching: CachingPage{RCD: true}},
		"0f 00 00 00 0a 0a 00 00 00 40 0000 0000 0000":            {HasControl: true, Control: ControlPage{TAS: true}},
	} {
		golden(t, want, unhex(t, in), app, ParseMode6)
	}
}

// A page that is not whole must not be taken for one that says WCE=0.
func TestModeDataCutPage(t *testing.T) {
	six := unhex(t, "23 00 90 00"+cachingGolden+controlGolden)
	for n := mode6HeaderLen; n < len(six); n++ {
		m, err := ParseMode6(six[:n:n])
		if err != nil {
			t.Fatal(err)
		}
		if want := n >= mode6HeaderLen+cachingPageLen; m.HasCaching != want || m.Caching.WCE != want {
			t.Errorf("%d bytes: got %+v, want a caching page: %v", n, m, want)
		}
		if m.HasControl {
			t.Errorf("%d bytes: got a control page", n)
		}
	}
}

func TestModeDataSkips(t *testing.T) {
	// A block descriptor, a subpage of 08, an unknown page, a saveable caching page.
	m, err := ParseMode6(unhex(t, "2b 00 00 08 0000000000000200 48 01 0002 ffff 1c 02 ffff 88 12 04 0000000000000000000000000000000000"))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, m, ModeData{HasCaching: true, Caching: CachingPage{WCE: true}})
	m, err = ParseMode10(unhex(t, "ffff 00 00 00 00 ffff"+cachingGolden)) // block descriptors beyond the data
	if err != nil {
		t.Fatal(err)
	}
	equal(t, m, ModeData{})
}

func TestLUNListGolden(t *testing.T) {
	data := unhex(t, "00000018 00000000 0000000000000000 0001000000000000 4100000000000000")
	golden(t, []uint64{EncodeLUN(0), EncodeLUN(1), EncodeLUN(256)}, data, func(l []uint64, b []byte) []byte { return AppendLUNList(b, l...) }, ParseLUNList)
	truncations(t, data, len(data), ParseLUNList)
}

func TestLUNListBounded(t *testing.T) {
	for _, in := range []string{"ffffffff 00000000", "00020008 00000000"} {
		_, err := ParseLUNList(unhex(t, in))
		if f := (*FormatError)(nil); !errors.As(err, &f) || f.Need != 0 {
			t.Errorf("%s: got %v, want a FormatError without Need", in, err)
		}
	}
	got, err := ParseLUNList(AppendLUNList(nil, make([]uint64, MaxLUNs)...))
	if err != nil || len(got) != MaxLUNs {
		t.Errorf("got %d LUNs, %v", len(got), err)
	}
}

func TestLUNNumber(t *testing.T) {
	for n := range MaxLUNs {
		if got, ok := LUNNumber(EncodeLUN(n)); !ok || got != n {
			t.Fatalf("LUN %d: got %d, %v", n, got, ok)
		}
	}
	for lun, want := range map[uint64]int{
		0x00ff000000000000: 255,
		0x4001000000000000: 1,  // flat space below 256
		0x0101000000000000: -1, // bus 1
		0x0001000100000000: -1, // second level
		0xc101000000000000: -1, // REPORT LUNS well known logical unit
		0x8001000000000000: -1,
	} {
		got, ok := LUNNumber(lun)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%016x: got %d, want %d", lun, got, want)
		}
	}
}

func TestPortGroupsGolden(t *testing.T) {
	app := func(p PortGroups, b []byte) []byte { return p.Append(b) }
	groups := []PortGroup{
		{ID: 0x0102, State: ALUAActiveOptimized, Preferred: true, Supported: 0xdf, Status: 2, Ports: []uint16{1, 0x0203}},
		{ID: 3, State: ALUATransitioning},
	}
	const body = "80 df 0102 00 02 00 02 0000 0001 0000 0203 0f 00 0003 00 00 00 00"
	plain := unhex(t, "00000018"+body)
	golden(t, PortGroups{Groups: groups}, plain, app, ParsePortGroups)
	truncations(t, plain, len(plain), ParsePortGroups)
	extended := unhex(t, "0000001c 10 3c 0000"+body)
	golden(t, PortGroups{Extended: true, TransitionTime: 60, Groups: groups}, extended, app, ParsePortGroups)
	truncations(t, extended, len(extended), ParsePortGroups)
	golden(t, PortGroups{}, unhex(t, "00000000"), app, ParsePortGroups)
}

func TestPortGroupsRefuses(t *testing.T) {
	many := PortGroups{Groups: make([]PortGroup, MaxPortGroups+1)}
	for name, in := range map[string][]byte{
		"too long":        unhex(t, "ffffffff"),
		"ports missing":   unhex(t, "00000008 00 00 0001 00 00 00 01"),
		"half a group":    unhex(t, "00000006 00 00 0001 00 00"),
		"too many groups": many.Append(nil),
	} {
		_, err := ParsePortGroups(in)
		if f := (*FormatError)(nil); !errors.As(err, &f) || f.Need != 0 {
			t.Errorf("%s: got %v, want a FormatError without Need", name, err)
		}
	}
}
