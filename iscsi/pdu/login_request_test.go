package pdu

import "testing"

var loginRequestCase = pduCase{
	op: OpLoginRequest,
	golden: `43 87 02 01
		00 00 01 00
		80 12 34 56
		78 9a be ef
		00 00 00 2a
		00 05 00 00
		00 00 00 63
		00 00 00 64
		00 00 00 00
		00 00 00 00
		00 00 00 00
		00 00 00 00`,
	want: &LoginRequest{
		Transit: true, CSG: StageOperational, NSG: StageFullFeature, VersionMax: 2, VersionMin: 1,
		DataSegmentLength: 256, ISID: [6]byte{0x80, 0x12, 0x34, 0x56, 0x78, 0x9a}, TSIH: 0xbeef,
		ITT: 42, CID: 5, CmdSN: 99, ExpStatSN: 100,
	},
	valid: func(c codec) {
		p := c.(*LoginRequest)
		realTag(&p.ITT)
		validStages(p.Transit, &p.Continue, &p.CSG, &p.NSG)
	},
	rules: append(stageRules(),
		rule{"I clear", set(0, 0x03), ""},
		rule{"reserved ITT", reserveTag(16), "Initiator Task Tag"},
	),
}

func TestLoginRequest(t *testing.T) { loginRequestCase.test(t) }

func validStages(transit bool, cont *bool, csg, nsg *Stage) {
	stages := []Stage{StageSecurity, StageOperational, StageFullFeature}
	*csg, *nsg = stages[*csg%3], stages[*nsg%3]
	if transit {
		*cont = false
	} else {
		*nsg = 0
	}
}

// stageRules are those that both login PDUs have.
func stageRules() []rule {
	return []rule{
		{"T and C", set(1, 0xc7), "T and C"},
		{"C alone", set(1, 0x44), ""},
		{"reserved CSG", set(1, 0x8b), "CSG"},
		{"reserved NSG", set(1, 0x86), "NSG"},
		{"reserved NSG without T", set(1, 0x06), ""},
		{"reserved bits", set(1, 0xb7), ""},
	}
}

func TestStage(t *testing.T) {
	for stage, want := range map[Stage]string{
		StageSecurity: "SecurityNegotiation", StageOperational: "LoginOperationalNegotiation",
		StageFullFeature: "FullFeaturePhase", stageReserved: "stage 0x02", 9: "stage 0x09",
	} {
		if got := stage.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
