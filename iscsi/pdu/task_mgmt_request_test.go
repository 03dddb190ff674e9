package pdu

import "testing"

var taskMgmtRequestCase = pduCase{
	op: OpTaskMgmtRequest,
	golden: `42 81 00 00
		00 00 00 00
		00 05 00 00  00 00 00 00
		00 00 00 2a
		00 00 00 29
		00 00 00 63
		00 00 00 64
		00 00 00 62
		00 00 00 07
		00 00 00 00
		00 00 00 00`,
	want: &TaskMgmtRequest{
		Immediate: true, Function: AbortTask, LUN: 5 << 48, ITT: 42, ReferencedTaskTag: 41,
		CmdSN: 99, ExpStatSN: 100, RefCmdSN: 98, ExpDataSN: 7,
	},
	valid: func(c codec) {
		p := c.(*TaskMgmtRequest)
		realTag(&p.ITT)
		realTag(&p.ReferencedTaskTag)
		p.Function &= functionMask
	},
	rules: []rule{
		{"abort of no task", reserveTag(20), "Referenced Task Tag"},
		{"reassignment of no task", func(b *BHS) { b[1] = 0x88; reserveTag(20)(b) }, "Referenced Task Tag"},
		{"reset of the unit", func(b *BHS) { b[1] = 0x85; reserveTag(20)(b) }, ""},
		{"unknown function", set(1, 0xff), ""},
		{"F clear", set(1, 0x01), ""},
		{"reserved bytes", set(40, 0xff), ""},
		{"reserved ITT", reserveTag(16), "Initiator Task Tag"},
	},
}

func TestTaskMgmtRequest(t *testing.T) { taskMgmtRequestCase.test(t) }
