package scsi

import (
	"math/rand/v2"
	"testing"
)

func TestParseRWGolden(t *testing.T) {
	tests := []struct {
		in   string
		want RW
	}{
		{"08 1f ff fe 05 00", RW{LBA: 0x1ffffe, Blocks: 5}},
		{"0a ff ff fe 00 00", RW{LBA: 0x1ffffe, Blocks: 256, Write: true}}, // upper bits reserved, 0 is 256
		{"28 00 01020304 00 0506 00", RW{LBA: 0x01020304, Blocks: 0x0506}},
		{"28 38 01020304 00 0000 00", RW{LBA: 0x01020304, FUA: true, DPO: true, Protect: 1}},
		{"2a 08 ffffffff 00 ffff 00", RW{LBA: 0xffffffff, Blocks: 0xffff, Write: true, FUA: true}},
		{"a8 10 01020304 05060708 00 00", RW{LBA: 0x01020304, Blocks: 0x05060708, DPO: true}},
		{"aa e0 01020304 05060708 00 00", RW{LBA: 0x01020304, Blocks: 0x05060708, Write: true, Protect: 7}},
		{"88 00 0102030405060708 090a0b0c 00 00", RW{LBA: 0x0102030405060708, Blocks: 0x090a0b0c}},
		{"8a 08 ffffffffffffffff ffffffff 00 00", RW{LBA: 1<<64 - 1, Blocks: 1<<32 - 1, Write: true, FUA: true}},
	}
	for _, test := range tests {
		t.Run(test.in, func(t *testing.T) {
			got, err := ParseRW(cdb(t, test.in))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, got, test.want)
		})
	}
}

func TestRWRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 10000 {
		want := RW{LBA: r.Uint64() >> r.IntN(64), Blocks: r.Uint32() >> r.IntN(32), Write: r.IntN(2) == 0, FUA: r.IntN(2) == 0}
		c := dirty()
		if want.Write {
			PutWrite(c, want.LBA, want.Blocks, want.FUA)
		} else {
			PutRead(c, want.LBA, want.Blocks, want.FUA)
		}
		got, err := ParseRW(c)
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Fatalf("got %+v, want %+v from % x", got, want, c)
		}
	}
}

func TestHotPathAllocatesNothing(t *testing.T) {
	var c CDB
	var rw RW
	var s Sense
	var ok bool
	response := AppendResponseSense(nil, NewSense(KeyUnitAttention, CodePowerOn))
	list := AppendUnmapList(nil, Range{1, 2})
	var blocks uint32
	got := testing.AllocsPerRun(1000, func() {
		PutRead(&c, 8, 8, false)
		PutWrite(&c, 1<<40, 8, true)
		rw, _ = ParseRW(&c)
		PutSyncCache16(&c, 0, 0)
		PutWriteSame16(&c, 0, 8, true, true)
		PutUnmap(&c, 24)
		list = AppendUnmapList(list[:0], Range{1, 2})
		l, _ := ParseUnmapList(list)
		blocks = l.At(0).Blocks
		s, ok = ParseResponseSense(nil)
		s, ok = ParseResponseSense(response)
	})
	if got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
	if !ok || s.Key != KeyUnitAttention || !rw.Write || blocks != 2 {
		t.Errorf("got %v %v %v %d", s, ok, rw, blocks)
	}
}
