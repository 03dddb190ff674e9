package pdu

import "testing"

var scsiResponseCase = pduCase{
	op: OpSCSIResponse,
	golden: `21 8c 00 02
		00 00 00 14
		00 00 00 00  00 00 00 00
		00 00 00 2a
		00 00 00 2b
		00 00 00 64
		00 00 00 65
		00 00 00 85
		00 00 00 03
		00 00 00 10
		00 00 02 00`,
	want: &SCSIResponse{
		BidiUnderflow: true, Overflow: true, Status: 2, DataSegmentLength: 20,
		ITT: 42, SNACKTag: 43, StatSN: 100, ExpCmdSN: 101, MaxCmdSN: 133, ExpDataSN: 3,
		BidiResidualCount: 16, ResidualCount: 512,
	},
	valid: func(c codec) {
		p := c.(*SCSIResponse)
		realTag(&p.ITT)
		if p.Response != ResponseCompleted {
			p.BidiOverflow, p.BidiUnderflow, p.Overflow, p.Underflow = false, false, false, false
		}
		p.Underflow = p.Underflow && !p.Overflow
		p.BidiUnderflow = p.BidiUnderflow && !p.BidiOverflow
	},
	rules: []rule{
		{"O and U", set(1, 0x86), "O and U"},
		{"o and u", set(1, 0x98), "o and u"},
		{"o and O", set(1, 0x94), ""},
		{"u and U", set(1, 0x8a), ""},
		{"flags of a failed target", set(1, 0x9e, 0x01), ""},
		{"vendor's response", set(2, 0x80), ""},
		{"reserved bits", set(1, 0xe5), ""},
		{"F clear", set(1, 0x04), ""},
		{"reserved ITT", reserveTag(16), "Initiator Task Tag"},
	},
}

func TestSCSIResponse(t *testing.T) { scsiResponseCase.test(t) }

func TestSCSIResponseFlagsNeedCompletion(t *testing.T) {
	b := scsiResponseCase.bhs(t)
	b[1], b[2] = 0x9e, byte(ResponseTargetFailure)
	var p SCSIResponse
	if err := p.Decode(&b); err != nil {
		t.Fatal(err)
	}
	if p.Overflow || p.Underflow || p.BidiOverflow || p.BidiUnderflow {
		t.Errorf("got residual flags in %+v, want none beside %v", p, p.Response)
	}
}
