package pdu

import "testing"

var dataOutCase = pduCase{
	op: OpDataOut,
	golden: `05 80 00 00
		00 01 00 00
		00 05 00 00  00 00 00 00
		00 00 00 2a
		00 00 00 07
		00 00 00 00
		00 00 00 64
		00 00 00 00
		00 00 00 03
		00 04 00 00
		00 00 00 00`,
	want: &DataOut{
		Final: true, DataSegmentLength: 65536, LUN: 5 << 48, ITT: 42, TTT: 7,
		ExpStatSN: 100, DataSN: 3, BufferOffset: 262144,
	},
	valid: func(c codec) { realTag(&c.(*DataOut).ITT) },
	rules: []rule{
		{"more to come", set(1, 0x00), ""},
		{"unsolicited", reserveTag(20), ""},
		{"reserved bits", set(1, 0xff, 0xff, 0xff), ""},
		{"reserved bytes", set(24, 0xff), ""},
		{"reserved ITT", reserveTag(16), "Initiator Task Tag"},
	},
}

func TestDataOut(t *testing.T) { dataOutCase.test(t) }
