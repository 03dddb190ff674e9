package pdu

import "testing"

var nopOutCase = pduCase{
	op: OpNOPOut,
	golden: `40 80 00 00
		00 00 00 04
		00 05 00 00  00 00 00 00
		00 00 00 2a
		00 00 00 07
		00 00 00 63
		00 00 00 64
		00 00 00 00
		00 00 00 00
		00 00 00 00
		00 00 00 00`,
	want: &NOPOut{
		Immediate: true, DataSegmentLength: 4, LUN: 5 << 48, ITT: 42, TTT: 7, CmdSN: 99, ExpStatSN: 100,
	},
	valid: func(c codec) { realTag(&c.(*NOPOut).ITT) },
	rules: []rule{
		{"ping", reserveTag(20), ""},
		{"answer", reserveTag(16), ""},
		{"neither, for ExpStatSN", func(b *BHS) { reserveTag(16)(b); reserveTag(20)(b) }, ""},
		{"ping in order", set(0, 0x00), ""},
		{"answer in order", func(b *BHS) { b[0] = 0x00; reserveTag(16)(b) }, "I"},
		{"reserved bits", set(1, 0x7f, 0xff, 0xff), ""},
	},
}

func TestNOPOut(t *testing.T) { nopOutCase.test(t) }
