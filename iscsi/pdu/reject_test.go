package pdu

import "testing"

var rejectCase = pduCase{
	op: OpReject,
	golden: `3f 80 04 00
		00 00 00 30
		00 00 00 00  00 00 00 00
		ff ff ff ff
		00 00 00 00
		00 00 00 64
		00 00 00 65
		00 00 00 85
		00 00 00 03
		00 00 00 00
		00 00 00 00`,
	want: &Reject{
		Reason: RejectProtocolError, DataSegmentLength: 48, StatSN: 100, ExpCmdSN: 101, MaxCmdSN: 133, DataSN: 3,
	},
	valid: func(codec) {},
	rules: []rule{
		{"unknown reason", set(2, 0x7e), ""},
		{"tag that is not reserved", set(16, 0, 0, 0, 1), ""},
		{"reserved bits", set(1, 0x7f), ""},
	},
}

func TestReject(t *testing.T) { rejectCase.test(t) }
