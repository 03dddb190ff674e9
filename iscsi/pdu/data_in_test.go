package pdu

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

var dataInCase = pduCase{
	op: OpDataIn,
	golden: `25 c3 00 04
		00 00 02 00
		00 05 00 00  00 00 00 00
		00 00 00 2a
		00 00 00 07
		00 00 00 64
		00 00 00 65
		00 00 00 85
		00 00 00 03
		00 00 06 00
		00 00 08 00`,
	want: &DataIn{
		Final: true, Ack: true, HasStatus: true, Underflow: true, Status: 4, DataSegmentLength: 512,
		LUN: 5 << 48, ITT: 42, TTT: 7, StatSN: 100, ExpCmdSN: 101, MaxCmdSN: 133,
		DataSN: 3, BufferOffset: 1536, ResidualCount: 2048,
	},
	valid: func(c codec) {
		p := c.(*DataIn)
		realTag(&p.ITT)
		realTag(&p.TTT)
		p.Final = p.Final || p.HasStatus
		p.Underflow = p.Underflow && !p.Overflow
		if !p.HasStatus {
			p.Status, p.StatSN, p.ResidualCount, p.Overflow, p.Underflow = 0, 0, 0, false, false
		}
	},
	rules: []rule{
		{"S without F", set(1, 0x01), "S"},
		{"neither S nor F", set(1, 0x00), ""},
		{"O and U", set(1, 0x87), "O and U"},
		{"O and U without S", set(1, 0x86), ""},
		{"reserved bits", set(1, 0xbb, 0xff), ""},
		{"A without TTT", reserveTag(20), "Target Transfer Tag"},
		{"neither A nor TTT", func(b *BHS) { b[1] = 0x80; reserveTag(20)(b) }, ""},
		{"reserved ITT", reserveTag(16), "Initiator Task Tag"},
	},
}

func TestDataIn(t *testing.T) { dataInCase.test(t) }

func TestDataInWithoutStatusHidesIt(t *testing.T) {
	b := dataInCase.bhs(t)
	b[1] = 0x86
	want := *dataInCase.want.(*DataIn)
	want.Ack, want.HasStatus, want.Underflow = false, false, false
	want.Status, want.StatSN, want.ResidualCount = 0, 0, 0
	var got DataIn
	if err := got.Decode(&b); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
