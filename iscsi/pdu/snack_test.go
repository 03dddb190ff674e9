package pdu

import "testing"

var snackCase = pduCase{
	op: OpSNACK,
	golden: `10 82 00 00
		00 00 00 00
		00 05 00 00  00 00 00 00
		ff ff ff ff
		00 00 00 07
		00 00 00 00
		00 00 00 64
		00 00 00 00
		00 00 00 00
		00 00 00 03
		00 00 00 04`,
	want: &SNACK{
		Type: SNACKDataACK, LUN: 5 << 48, ITT: ReservedTag, TTT: 7, ExpStatSN: 100, BegRun: 3, RunLength: 4,
	},
	valid: func(c codec) { c.(*SNACK).Type &= snackTypeMask },
	rules: []rule{
		{"unknown type", set(1, 0x8f), ""},
		{"reserved bits", set(1, 0x72), ""},
		{"reserved bytes", set(32, 0xff), ""},
	},
}

func TestSNACK(t *testing.T) { snackCase.test(t) }
