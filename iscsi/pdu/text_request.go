package pdu

// TextRequest carries text keys to the target outside the login, such as SendTargets
// (RFC 7143 11.10).
type TextRequest struct {
	Immediate bool // I: outside the CmdSN order
	Final     bool // F: the initiator has said all
	Continue  bool // C: the text goes on in the next PDU

	DataSegmentLength uint32 // bytes, 0 to MaxDataLen

	LUN       LUN // copied from the Text Response with TTT
	ITT       uint32
	TTT       uint32 // ReservedTag starts anew, else copied from the last Text Response
	CmdSN     Serial
	ExpStatSN Serial
}

// Encode writes all 48 bytes of the header.
func (p *TextRequest) Encode(b *BHS) {
	begin(b, OpTextRequest, p.Immediate, bit(p.Final, bitFinal)|bit(p.Continue, bitContinue))
	putDataLen(b, p.DataSegmentLength)
	putLUN(b, p.LUN)
	put32(b, offITT, p.ITT)
	put32(b, offTTT, p.TTT)
	putSerial(b, offCmdSN, p.CmdSN)
	putSerial(b, offExpStatSN, p.ExpStatSN)
}

// Decode reads the header and checks its format. On error p is undefined.
func (p *TextRequest) Decode(b *BHS) error {
	if err := checkPlain(b, OpTextRequest); err != nil {
		return err
	}
	*p = TextRequest{
		Immediate:         Immediate(b),
		Final:             b[offFlags]&bitFinal != 0,
		Continue:          b[offFlags]&bitContinue != 0,
		DataSegmentLength: getDataLen(b),
		LUN:               getLUN(b),
		ITT:               get32(b, offITT),
		TTT:               get32(b, offTTT),
		CmdSN:             getSerial(b, offCmdSN),
		ExpStatSN:         getSerial(b, offExpStatSN),
	}
	if p.Final && p.Continue {
		return malformed(OpTextRequest, "F and C", "both set")
	}
	return checkTask(OpTextRequest, p.ITT)
}
