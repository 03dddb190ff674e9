package pdu

import "testing"

var textRequestCase = pduCase{
	op: OpTextRequest,
	golden: `44 80 00 00
		00 00 00 10
		00 05 00 00  00 00 00 00
		00 00 00 2a
		ff ff ff ff
		00 00 00 63
		00 00 00 64
		00 00 00 00
		00 00 00 00
		00 00 00 00
		00 00 00 00`,
	want: &TextRequest{
		Immediate: true, Final: true, DataSegmentLength: 16, LUN: 5 << 48, ITT: 42, TTT: ReservedTag,
		CmdSN: 99, ExpStatSN: 100,
	},
	valid: func(c codec) {
		p := c.(*TextRequest)
		realTag(&p.ITT)
		p.Continue = p.Continue && !p.Final
	},
	rules: []rule{
		{"F and C", set(1, 0xc0), "F and C"},
		{"C alone", set(1, 0x40), ""},
		{"neither", set(1, 0x00), ""},
		{"reserved bits", set(1, 0xbf, 0xff, 0xff), ""},
		{"reserved ITT", reserveTag(16), "Initiator Task Tag"},
	},
}

func TestTextRequest(t *testing.T) { textRequestCase.test(t) }
