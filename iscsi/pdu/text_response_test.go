package pdu

import "testing"

var textResponseCase = pduCase{
	op: OpTextResponse,
	golden: `24 40 00 00
		00 00 20 00
		00 05 00 00  00 00 00 00
		00 00 00 2a
		00 00 00 07
		00 00 00 64
		00 00 00 65
		00 00 00 85
		00 00 00 00
		00 00 00 00
		00 00 00 00`,
	want: &TextResponse{
		Continue: true, DataSegmentLength: 8192, LUN: 5 << 48, ITT: 42, TTT: 7,
		StatSN: 100, ExpCmdSN: 101, MaxCmdSN: 133,
	},
	valid: func(c codec) {
		p := c.(*TextResponse)
		realTag(&p.ITT)
		realTag(&p.TTT)
		p.Continue = p.Continue && !p.Final
	},
	rules: []rule{
		{"F and C", set(1, 0xc0), "F and C"},
		{"F without TTT", func(b *BHS) { b[1] = 0x80; reserveTag(20)(b) }, ""},
		{"F with TTT", set(1, 0x80), ""},
		{"no F, no TTT", reserveTag(20), "Target Transfer Tag"},
		{"reserved bits", set(1, 0xbf, 0xff, 0xff), ""},
		{"reserved ITT", reserveTag(16), "Initiator Task Tag"},
	},
}

func TestTextResponse(t *testing.T) { textResponseCase.test(t) }
