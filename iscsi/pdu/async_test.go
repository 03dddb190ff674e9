package pdu

import "testing"

var asyncCase = pduCase{
	op: OpAsync,
	golden: `32 80 00 00
		00 00 00 14
		00 05 00 00  00 00 00 00
		ff ff ff ff
		00 00 00 00
		00 00 00 64
		00 00 00 65
		00 00 00 85
		02 09 00 01
		00 02 00 14
		00 00 00 00`,
	want: &Async{
		Event: AsyncDropConnection, VCode: 9, DataSegmentLength: 20, LUN: 5 << 48,
		StatSN: 100, ExpCmdSN: 101, MaxCmdSN: 133, Parameter1: 1, Parameter2: 2, Parameter3: 20,
	},
	valid: func(codec) {},
	rules: []rule{
		{"unknown event", set(36, 0x77), ""},
		{"tag that is not reserved", set(16, 0, 0, 0, 1), ""},
		{"reserved bits", set(1, 0x7f, 0xff, 0xff), ""},
	},
}

func TestAsync(t *testing.T) { asyncCase.test(t) }
