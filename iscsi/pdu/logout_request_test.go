package pdu

import "testing"

var logoutRequestCase = pduCase{
	op: OpLogoutRequest,
	golden: `46 81 00 00
		00 00 00 00
		00 00 00 00  00 00 00 00
		00 00 00 2a
		00 05 00 00
		00 00 00 63
		00 00 00 64
		00 00 00 00
		00 00 00 00
		00 00 00 00
		00 00 00 00`,
	want: &LogoutRequest{
		Immediate: true, Reason: LogoutCloseConnection, ITT: 42, CID: 5, CmdSN: 99, ExpStatSN: 100,
	},
	valid: func(c codec) {
		p := c.(*LogoutRequest)
		realTag(&p.ITT)
		p.Reason &= reasonMask
	},
	rules: []rule{
		{"unknown reason", set(1, 0xff), ""},
		{"F clear", set(1, 0x00), ""},
		{"reserved bytes", set(8, 0xff), ""},
		{"reserved ITT", reserveTag(16), "Initiator Task Tag"},
	},
}

func TestLogoutRequest(t *testing.T) { logoutRequestCase.test(t) }
