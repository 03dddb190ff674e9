package pdu

import "testing"

var nopInCase = pduCase{
	op: OpNOPIn,
	golden: `20 80 00 00
		00 00 00 04
		00 05 00 00  00 00 00 00
		00 00 00 2a
		00 00 00 07
		00 00 00 64
		00 00 00 65
		00 00 00 85
		00 00 00 00
		00 00 00 00
		00 00 00 00`,
	want: &NOPIn{
		DataSegmentLength: 4, LUN: 5 << 48, ITT: 42, TTT: 7, StatSN: 100, ExpCmdSN: 101, MaxCmdSN: 133,
	},
	valid: func(codec) {},
	rules: []rule{
		{"answer", reserveTag(20), ""},
		{"ping", reserveTag(16), ""},
		{"neither", func(b *BHS) { reserveTag(16)(b); reserveTag(20)(b) }, ""},
		{"reserved bits", set(1, 0x7f, 0xff, 0xff), ""},
		{"reserved bytes", set(36, 0xff), ""},
	},
}

func TestNOPIn(t *testing.T) { nopInCase.test(t) }
