package pdu

import "testing"

var taskMgmtResponseCase = pduCase{
	op: OpTaskMgmtResponse,
	golden: `22 80 05 00
		00 00 00 00
		00 00 00 00  00 00 00 00
		00 00 00 2a
		00 00 00 00
		00 00 00 64
		00 00 00 65
		00 00 00 85
		00 00 00 00
		00 00 00 00
		00 00 00 00`,
	want: &TaskMgmtResponse{
		Response: TaskMgmtNotSupported, ITT: 42, StatSN: 100, ExpCmdSN: 101, MaxCmdSN: 133,
	},
	valid: func(c codec) { realTag(&c.(*TaskMgmtResponse).ITT) },
	rules: []rule{
		{"rejected", set(2, 0xff), ""},
		{"unknown response", set(2, 0x40), ""},
		{"reserved bits", set(1, 0x7f), ""},
		{"reserved bytes", set(8, 0xff, 0xff), ""},
		{"reserved ITT", reserveTag(16), "Initiator Task Tag"},
	},
}

func TestTaskMgmtResponse(t *testing.T) { taskMgmtResponseCase.test(t) }
