package scsi

import (
	"errors"
	"math"
	"testing"
)

func TestBuildersGolden(t *testing.T) {
	tests := []struct {
		name string
		put  func(*CDB)
		want string
	}{
		{"READ(10)", func(c *CDB) { PutRead(c, 0x01020304, 0x0506, false) }, "28 00 01020304 00 0506 00"},
		{"READ(10) FUA", func(c *CDB) { PutRead(c, 0, 1, true) }, "28 08 00000000 00 0001 00"},
		{"READ(10) largest", func(c *CDB) { PutRead(c, 0xffff0001, 0xffff, false) }, "28 00 ffff0001 00 ffff 00"},
		{"READ(16) by length", func(c *CDB) { PutRead(c, 1, 0x10000, false) }, "88 00 0000000000000001 00010000 00 00"},
		{"READ(16) by LBA", func(c *CDB) { PutRead(c, 1<<32, 1, true) }, "88 08 0000000100000000 00000001 00 00"},
		{"READ(16) by its end", func(c *CDB) { PutRead(c, math.MaxUint32, 2, false) }, "88 00 00000000ffffffff 00000002 00 00"},
		{"READ(16) largest", func(c *CDB) { PutRead(c, math.MaxUint64, math.MaxUint32, false) }, "88 00 ffffffffffffffff ffffffff 00 00"},
		{"WRITE(10)", func(c *CDB) { PutWrite(c, 0x01020304, 0x0506, false) }, "2a 00 01020304 00 0506 00"},
		{"WRITE(10) FUA", func(c *CDB) { PutWrite(c, math.MaxUint32, 1, true) }, "2a 08 ffffffff 00 0001 00"},
		{"WRITE(16)", func(c *CDB) { PutWrite(c, 0x0102030405060708, 0x090a0b0c, true) }, "8a 08 0102030405060708 090a0b0c 00 00"},
		{"SYNCHRONIZE CACHE(10)", func(c *CDB) { PutSyncCache10(c, 0x01020304, 0x0506) }, "35 00 01020304 00 0506 00"},
		{"SYNCHRONIZE CACHE(16)", func(c *CDB) { PutSyncCache16(c, 0x0102030405060708, 0x090a0b0c) }, "91 00 0102030405060708 090a0b0c 00 00"},
		{"UNMAP", func(c *CDB) { PutUnmap(c, 0x0118) }, "42 00 00000000 00 0118 00"},
		{"WRITE SAME(16)", func(c *CDB) { PutWriteSame16(c, 0x0102030405060708, 9, false, false) }, "93 00 0102030405060708 00000009 00 00"},
		{"WRITE SAME(16) UNMAP NDOB", func(c *CDB) { PutWriteSame16(c, 1, 9, true, true) }, "93 09 0000000000000001 00000009 00 00"},
		{"INQUIRY", func(c *CDB) { PutInquiry(c, false, 0, 96) }, "12 00 00 0060 00"},
		{"INQUIRY VPD", func(c *CDB) { PutInquiry(c, true, 0x83, 0x0102) }, "12 01 83 0102 00"},
		{"REPORT LUNS", func(c *CDB) { PutReportLUNs(c, 0x01020304) }, "a0 00 00 000000 01020304 00 00"},
		{"READ CAPACITY(10)", PutReadCapacity10, "25 00 00000000 0000 00 00"},
		{"READ CAPACITY(16)", func(c *CDB) { PutReadCapacity16(c, 32) }, "9e 10 0000000000000000 00000020 00 00"},
		{"TEST UNIT READY", PutTestUnitReady, "00 00 00 00 00 00"},
		{"REQUEST SENSE", func(c *CDB) { PutRequestSense(c, true, 252) }, "03 01 00 00 fc 00"},
		{"MODE SENSE(6)", func(c *CDB) { PutModeSense6(c, 0x3f, 0xff, 0xc0) }, "1a 08 3f ff c0 00"},
		{"MODE SENSE(10)", func(c *CDB) { PutModeSense10(c, 8, 0, 0x0102) }, "5a 08 08 00 000000 0102 00"},
		{"RTPG", func(c *CDB) { PutReportTargetPortGroups(c, 0x01020304) }, "a3 0a 00 000000 01020304 00 00"},
		{"RTPG extended", func(c *CDB) { PutReportTargetPortGroupsExtended(c, 128) }, "a3 2a 00 000000 00000080 00 00"},
		{"STPG", func(c *CDB) { PutSetTargetPortGroups(c, 0x01020304) }, "a4 0a 00 000000 01020304 00 00"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := dirty()
			test.put(c)
			equal(t, c[:], cdb(t, test.want)[:])
		})
	}
}

// parsers are all CDB parsers, by the error they return.
var parsers = map[string]func(*CDB) error{
	"RW":                     func(c *CDB) error { _, err := ParseRW(c); return err },
	"WriteSame":              func(c *CDB) error { _, err := ParseWriteSame(c); return err },
	"SyncCache":              func(c *CDB) error { _, err := ParseSyncCache(c); return err },
	"Prefetch":               func(c *CDB) error { _, err := ParsePrefetch(c); return err },
	"Unmap":                  func(c *CDB) error { _, err := ParseUnmap(c); return err },
	"Verify":                 func(c *CDB) error { _, err := ParseVerify(c); return err },
	"CompareAndWrite":        func(c *CDB) error { _, err := ParseCompareAndWrite(c); return err },
	"Inquiry":                func(c *CDB) error { _, err := ParseInquiry(c); return err },
	"ModeSense":              func(c *CDB) error { _, err := ParseModeSense(c); return err },
	"ReportLUNs":             func(c *CDB) error { _, err := ParseReportLUNs(c); return err },
	"ReadCapacity16":         func(c *CDB) error { _, err := ParseReadCapacity16(c); return err },
	"GetLBAStatus":           func(c *CDB) error { _, err := ParseGetLBAStatus(c); return err },
	"RequestSense":           func(c *CDB) error { _, err := ParseRequestSense(c); return err },
	"StartStop":              func(c *CDB) error { _, err := ParseStartStop(c); return err },
	"ReportTargetPortGroups": func(c *CDB) error { _, err := ParseReportTargetPortGroups(c); return err },
	"SetTargetPortGroups":    func(c *CDB) error { _, err := ParseSetTargetPortGroups(c); return err },
}

func TestParsersGolden(t *testing.T) {
	tests := []struct {
		in    string
		parse func(*CDB) (any, error)
		want  any
	}{
		{
			"93 fa ffffffffffffffff 00000000 00 00", func(c *CDB) (any, error) { c[1] &= 0xf9; return ParseWriteSame(c) },
			WriteSame{LBA: math.MaxUint64, Unmap: true, Anchor: true, Protect: 7},
		},
		{"93 09 0000000000000001 00000009 00 00", func(c *CDB) (any, error) { return ParseWriteSame(c) }, WriteSame{LBA: 1, Blocks: 9, Unmap: true, NDOB: true}},
		{"41 09 00000001 00 0009 00", func(c *CDB) (any, error) { return ParseWriteSame(c) }, WriteSame{LBA: 1, Blocks: 9, Unmap: true}},
		{"35 02 01020304 00 0506 00", func(c *CDB) (any, error) { return ParseSyncCache(c) }, SyncCache{LBA: 0x01020304, Blocks: 0x0506, Immed: true}},
		{"91 00 0102030405060708 090a0b0c 00 00", func(c *CDB) (any, error) { return ParseSyncCache(c) }, SyncCache{LBA: 0x0102030405060708, Blocks: 0x090a0b0c}},
		{"34 02 01020304 00 0506 00", func(c *CDB) (any, error) { return ParsePrefetch(c) }, Prefetch{LBA: 0x01020304, Blocks: 0x0506, Immed: true}},
		{"90 00 0102030405060708 090a0b0c 00 00", func(c *CDB) (any, error) { return ParsePrefetch(c) }, Prefetch{LBA: 0x0102030405060708, Blocks: 0x090a0b0c}},
		{"42 01 00000000 00 0118 00", func(c *CDB) (any, error) { return ParseUnmap(c) }, Unmap{Anchor: true, ParamLen: 0x118}},
		{"2f f6 01020304 00 0506 00", func(c *CDB) (any, error) { return ParseVerify(c) }, Verify{LBA: 0x01020304, Blocks: 0x0506, DPO: true, ByteCheck: 3, Protect: 7}},
		{"8f 02 0102030405060708 090a0b0c 00 00", func(c *CDB) (any, error) { return ParseVerify(c) }, Verify{LBA: 0x0102030405060708, Blocks: 0x090a0b0c, ByteCheck: 1}},
		{
			"89 38 0102030405060708 000000 09 00 00", func(c *CDB) (any, error) { return ParseCompareAndWrite(c) },
			CompareAndWrite{LBA: 0x0102030405060708, Blocks: 9, FUA: true, DPO: true, Protect: 1},
		},
		{"12 01 83 0102 00", func(c *CDB) (any, error) { return ParseInquiry(c) }, Inquiry{EVPD: true, Page: 0x83, Alloc: 0x102}},
		{
			"1a 08 bf ff c0 00", func(c *CDB) (any, error) { return ParseModeSense(c) },
			ModeSense{DBD: true, Control: PageDefault, Page: 0x3f, Subpage: 0xff, Alloc: 0xc0},
		},
		{"5a 00 48 00 000000 0102 00", func(c *CDB) (any, error) { return ParseModeSense(c) }, ModeSense{Ten: true, Control: PageChangeable, Page: 8, Alloc: 0x102}},
		{"a0 00 02 000000 01020304 00 00", func(c *CDB) (any, error) { return ParseReportLUNs(c) }, ReportLUNs{Select: 2, Alloc: 0x01020304}},
		{"9e 10 0000000000000000 00000020 00 00", func(c *CDB) (any, error) { return ParseReadCapacity16(c) }, uint32(32)},
		{"9e 12 0102030405060708 00000020 00 00", func(c *CDB) (any, error) { return ParseGetLBAStatus(c) }, GetLBAStatus{LBA: 0x0102030405060708, Alloc: 32}},
		{"03 01 00 00 fc 00", func(c *CDB) (any, error) { return ParseRequestSense(c) }, RequestSense{Desc: true, Alloc: 252}},
		{"1b 01 00 00 37 00", func(c *CDB) (any, error) { return ParseStartStop(c) }, StartStop{Immed: true, Start: true, Eject: true, NoFlush: true, Condition: 3}},
		{"a3 2a 00 000000 00000080 00 00", func(c *CDB) (any, error) { return ParseReportTargetPortGroups(c) }, ReportTargetPortGroups{Extended: true, Alloc: 128}},
		{"a4 0a 00 000000 01020304 00 00", func(c *CDB) (any, error) { return ParseSetTargetPortGroups(c) }, uint32(0x01020304)},
		{"a3 0a 00 000000 00000080 00 00", func(c *CDB) (any, error) { return ParseReportTargetPortGroups(c) }, ReportTargetPortGroups{Alloc: 128}},
	}
	for _, test := range tests {
		t.Run(test.in, func(t *testing.T) {
			got, err := test.parse(cdb(t, test.in))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, got, test.want)
		})
	}
}

func TestParsersRefuse(t *testing.T) {
	tests := []struct {
		parser, in string
		offset     uint8
	}{
		{"WriteSame", "93 04 0000000000000001 00000009 00 00", 1}, // PBDATA
		{"WriteSame", "41 02 00000001 00 0009 00", 1},             // LBDATA
		{"WriteSame", "93 10 0000000000000001 00000009 00 00", 1}, // ANCHOR alone
		{"Verify", "2f 04 01020304 00 0506 00", 1},                // BYTCHK 2
		{"Inquiry", "12 00 83 0102 00", 2},                        // page without EVPD
		{"Inquiry", "12 02 00 0102 00", 1},                        // CMDDT
		{"ReportLUNs", "a0 00 03 000000 00000100 00 00", 2},
		{"ReportLUNs", "a0 00 00 000000 0000000f 00 00", 6},
		{"ReadCapacity16", "9e 12", 1},
		{"GetLBAStatus", "9e 10", 1},
		{"ReportTargetPortGroups", "a3 0c", 1},
		{"ReportTargetPortGroups", "a3 4a", 1},
	}
	for _, test := range tests {
		t.Run(test.parser+" "+test.in, func(t *testing.T) {
			refused(t, parsers[test.parser](cdb(t, test.in)), test.offset)
		})
	}
}

// validCDBs has, for every parser, CDBs that it accepts, with the offset of the CONTROL byte.
var validCDBs = map[string]map[string]uint8{
	"RW": {"08": 5, "0a": 5, "28": 9, "2a": 9, "a8": 11, "aa": 11, "88": 15, "8a": 15}, "WriteSame": {"41": 9, "93": 15},
	"SyncCache": {"35": 9, "91": 15}, "Prefetch": {"34": 9, "90": 15}, "Unmap": {"42": 9}, "Verify": {"2f": 9, "8f": 15},
	"CompareAndWrite": {"89": 15}, "Inquiry": {"12": 5}, "ModeSense": {"1a": 5, "5a": 9}, "ReportLUNs": {"a0 00 00 000000 00000010": 11},
	"ReadCapacity16": {"9e 10": 15}, "GetLBAStatus": {"9e 12": 15}, "RequestSense": {"03": 5}, "StartStop": {"1b": 5},
	"ReportTargetPortGroups": {"a3 0a": 11}, "SetTargetPortGroups": {"a4 0a": 11},
}

func TestParsersRefuseACA(t *testing.T) {
	for name, parse := range parsers {
		if len(validCDBs[name]) == 0 {
			t.Errorf("no CDB for %s", name)
		}
		for in, control := range validCDBs[name] {
			c := cdb(t, in)
			if err := parse(c); err != nil {
				t.Errorf("%s of %s: %v", name, in, err)
			}
			c[control] = 0x04
			refused(t, parse(c), control)
		}
	}
}

func TestParsersRefuseOtherOpcodes(t *testing.T) {
	for name, parse := range parsers {
		known := map[byte]bool{}
		for in := range validCDBs[name] {
			known[cdb(t, in)[0]] = true
		}
		for op := range 256 {
			if !known[byte(op)] {
				refused(t, parse(&CDB{byte(op)}), 0)
			}
		}
	}
}

func TestCDBErrorSense(t *testing.T) {
	_, err := ParseRW(cdb(t, "12"))
	equal(t, sense(t, err), Sense{Key: KeyIllegalRequest, ASC: 0x20})
	_, err = ParseInquiry(cdb(t, "12 00 83"))
	equal(t, sense(t, err), Sense{Key: KeyIllegalRequest, ASC: 0x24, Specific: [3]byte{0xc0, 0, 2}})
	equal(t, err.Error(), "scsi: CDB of INQUIRY, byte 2: page code without EVPD")
}

func TestInRange(t *testing.T) {
	const most = math.MaxUint64
	tests := []struct {
		lba, blocks, capacity uint64
		want                  bool
	}{
		{0, 0, 0, true},
		{0, 1, 0, false},
		{0, 8, 8, true},
		{0, 9, 8, false},
		{7, 1, 8, true},
		{8, 0, 8, true},
		{8, 1, 8, false},
		{9, 0, 8, false},
		{most, 1, most, false},
		{most, most, most, false},
		{1, most, most, false},
		{0, most, most, true},
	}
	for _, test := range tests {
		if got := InRange(test.lba, test.blocks, test.capacity); got != test.want {
			t.Errorf("InRange(%d, %d, %d): got %v, want %v", test.lba, test.blocks, test.capacity, got, test.want)
		}
	}
}

func TestNames(t *testing.T) {
	equal(t, OpRead10.String(), "READ(10)")
	equal(t, Opcode(0xff).String(), "opcode 0xff")
	equal(t, StatusTaskSetFull.String(), "TASK SET FULL")
	equal(t, Status(0x10).String(), "status 0x10")
	equal(t, ALUAStandby.String(), "standby")
	equal(t, ALUAState(9).String(), "ALUA state 0x9")
	equal(t, VPDBlockLimits.String(), "VPD page b0")
}

// sense is what a parser's error tells the initiator.
func sense(t *testing.T, err error) Sense {
	t.Helper()
	e, ok := errors.AsType[*CDBError](err)
	if !ok {
		t.Fatalf("got %v, want a *CDBError", err)
	}
	return e.Sense()
}
