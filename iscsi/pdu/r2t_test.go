package pdu

import "testing"

var r2tCase = pduCase{
	op: OpR2T,
	golden: `31 80 00 00
		00 00 00 00
		00 05 00 00  00 00 00 00
		00 00 00 2a
		00 00 00 07
		00 00 00 64
		00 00 00 65
		00 00 00 85
		00 00 00 01
		00 01 00 00
		00 04 00 00`,
	want: &R2T{
		LUN: 5 << 48, ITT: 42, TTT: 7, StatSN: 100, ExpCmdSN: 101, MaxCmdSN: 133,
		R2TSN: 1, BufferOffset: 65536, DesiredDataLength: 262144,
	},
	valid: func(c codec) {
		p := c.(*R2T)
		realTag(&p.ITT)
		realTag(&p.TTT)
		p.DesiredDataLength = max(p.DesiredDataLength, 1)
	},
	rules: []rule{
		{"nothing desired", set(44, 0, 0, 0, 0), "Desired Data Transfer Length"},
		{"reserved TTT", reserveTag(20), "Target Transfer Tag"},
		{"reserved bits", set(1, 0x7f, 0xff, 0xff), ""},
		{"reserved ITT", reserveTag(16), "Initiator Task Tag"},
	},
}

func TestR2T(t *testing.T) { r2tCase.test(t) }
