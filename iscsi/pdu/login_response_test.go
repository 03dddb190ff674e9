package pdu

import "testing"

var loginResponseCase = pduCase{
	op: OpLoginResponse,
	golden: `23 87 02 01
		00 00 01 00
		80 12 34 56
		78 9a be ef
		00 00 00 2a
		00 00 00 00
		00 00 00 64
		00 00 00 65
		00 00 00 85
		00 01 00 00
		00 00 00 00
		00 00 00 00`,
	want: &LoginResponse{
		Transit: true, CSG: StageOperational, NSG: StageFullFeature, VersionMax: 2, VersionActive: 1,
		DataSegmentLength: 256, ISID: [6]byte{0x80, 0x12, 0x34, 0x56, 0x78, 0x9a}, TSIH: 0xbeef,
		ITT: 42, StatSN: 100, ExpCmdSN: 101, MaxCmdSN: 133, StatusDetail: 1,
	},
	valid: func(c codec) {
		p := c.(*LoginResponse)
		realTag(&p.ITT)
		validStages(p.Transit, &p.Continue, &p.CSG, &p.NSG)
	},
	rules: append(stageRules(),
		rule{"flags of a failed login", func(b *BHS) { b[1] = 0xce; b[36] = 2 }, ""},
		rule{"reserved ITT of a failed login", func(b *BHS) { b[36] = 2; reserveTag(16)(b) }, ""},
		rule{"reserved bytes", set(20, 0xff), ""},
		rule{"reserved ITT", reserveTag(16), "Initiator Task Tag"},
	),
}

func TestLoginResponse(t *testing.T) { loginResponseCase.test(t) }

func TestLoginResponseStatus(t *testing.T) {
	var p LoginResponse
	p.SetLoginStatus(LoginAuthenticationFailed)
	if p.StatusClass != ClassInitiatorError || p.StatusDetail != 1 || p.LoginStatus() != LoginAuthenticationFailed {
		t.Errorf("got class %v, detail %d, status %v", p.StatusClass, p.StatusDetail, p.LoginStatus())
	}
}
