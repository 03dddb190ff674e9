package pdu

// NOPOut is the initiator's ping, or its answer to the target's (RFC 7143 11.18).
type NOPOut struct {
	Immediate bool // I: outside the CmdSN order

	DataSegmentLength uint32 // ping data in bytes, 0 to MaxDataLen

	LUN       LUN    // copied from the NOP-In with TTT
	ITT       uint32 // of a ping; ReservedTag if no answer is wanted
	TTT       uint32 // copied from the NOP-In that is answered; ReservedTag in a ping
	CmdSN     Serial
	ExpStatSN Serial
}

// Encode writes all 48 bytes of the header.
func (p *NOPOut) Encode(b *BHS) {
	begin(b, OpNOPOut, p.Immediate, bitFinal)
	putDataLen(b, p.DataSegmentLength)
	putLUN(b, p.LUN)
	put32(b, offITT, p.ITT)
	put32(b, offTTT, p.TTT)
	putSerial(b, offCmdSN, p.CmdSN)
	putSerial(b, offExpStatSN, p.ExpStatSN)
}

// Decode reads the header and checks its format. On error p is undefined.
func (p *NOPOut) Decode(b *BHS) error {
	if err := checkPlain(b, OpNOPOut); err != nil {
		return err
	}
	*p = NOPOut{
		Immediate:         Immediate(b),
		DataSegmentLength: getDataLen(b),
		LUN:               getLUN(b),
		ITT:               get32(b, offITT),
		TTT:               get32(b, offTTT),
		CmdSN:             getSerial(b, offCmdSN),
		ExpStatSN:         getSerial(b, offExpStatSN),
	}
	if p.ITT == ReservedTag && !p.Immediate {
		return malformed(OpNOPOut, "I", "clear although the Initiator Task Tag is reserved")
	}
	return nil
}
