package pdu

import "testing"

var scsiCommandCase = pduCase{
	op: OpSCSICommand,
	golden: `41 e1 00 00
		02 00 02 00
		00 05 00 00  00 00 00 00
		00 00 00 2a
		00 00 10 00
		00 00 00 63
		00 00 00 64
		88 00 00 00  00 00 00 00  00 08 00 00  00 08 00 00`,
	want: &SCSICommand{
		Immediate: true, Final: true, Read: true, Write: true, Attr: AttrSimple,
		TotalAHSLength: 2, DataSegmentLength: 512,
		LUN: 5 << 48, ITT: 42, ExpectedDataTransferLength: 4096, CmdSN: 99, ExpStatSN: 100,
		CDB: [16]byte{0: 0x88, 9: 8, 13: 8},
	},
	valid: func(c codec) {
		p := c.(*SCSICommand)
		realTag(&p.ITT)
		p.Attr %= AttrACA + 1
		p.Final = p.Final || !p.Write
		if !p.Read && !p.Write {
			p.ExpectedDataTransferLength = 0
		}
	},
	rules: []rule{
		{"F and W clear", set(1, 0x41), "F"},
		{"W without F", set(1, 0x21), ""},
		{"length without R and W", set(1, 0x81), "Expected Data Transfer Length"},
		{"no data at all", func(b *BHS) { b[1] = 0x81; clear(b[20:24]) }, ""},
		{"R and no data", func(b *BHS) { b[1] = 0xc1; clear(b[20:24]) }, ""},
		{"ACA", set(1, 0xe4), ""},
		{"reserved attribute", set(1, 0xe5), "ATTR"},
		{"reserved bits", set(1, 0xf9, 0xff, 0xff), ""},
		{"reserved ITT", reserveTag(16), "Initiator Task Tag"},
	},
}

func TestSCSICommand(t *testing.T) { scsiCommandCase.test(t) }
