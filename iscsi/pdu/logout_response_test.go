package pdu

import "testing"

var logoutResponseCase = pduCase{
	op: OpLogoutResponse,
	golden: `26 80 01 00
		00 00 00 00
		00 00 00 00  00 00 00 00
		00 00 00 2a
		00 00 00 00
		00 00 00 64
		00 00 00 65
		00 00 00 85
		00 00 00 00
		00 02 00 14
		00 00 00 00`,
	want: &LogoutResponse{
		Response: LogoutNoCID, ITT: 42, StatSN: 100, ExpCmdSN: 101, MaxCmdSN: 133,
		Time2Wait: 2, Time2Retain: 20,
	},
	valid: func(c codec) { realTag(&c.(*LogoutResponse).ITT) },
	rules: []rule{
		{"unknown response", set(2, 0xff), ""},
		{"reserved bits", set(1, 0x7f), ""},
		{"reserved bytes", set(36, 0xff), ""},
		{"reserved ITT", reserveTag(16), "Initiator Task Tag"},
	},
}

func TestLogoutResponse(t *testing.T) { logoutResponseCase.test(t) }
