package pdu

// TextResponse carries the target's answer to a Text Request (RFC 7143 11.11).
type TextResponse struct {
	Final    bool // F: the target has said all
	Continue bool // C: the text goes on in the next PDU

	DataSegmentLength uint32 // bytes, 0 to MaxDataLen

	LUN      LUN // to be copied into the next Text Request with TTT
	ITT      uint32
	TTT      uint32 // to be copied into the next Text Request; ReservedTag with Final
	StatSN   Serial
	ExpCmdSN Serial
	MaxCmdSN Serial
}

// Encode writes all 48 bytes of the header.
func (p *TextResponse) Encode(b *BHS) {
	begin(b, OpTextResponse, false, bit(p.Final, bitFinal)|bit(p.Continue, bitContinue))
	putDataLen(b, p.DataSegmentLength)
	putLUN(b, p.LUN)
	put32(b, offITT, p.ITT)
	put32(b, offTTT, p.TTT)
	putSerial(b, offStatSN, p.StatSN)
	putSerial(b, offExpCmdSN, p.ExpCmdSN)
	putSerial(b, offMaxCmdSN, p.MaxCmdSN)
}

// Decode reads the header and checks its format. A final response with a tag is let through:
// nobody will use the tag. On error p is undefined.
func (p *TextResponse) Decode(b *BHS) error {
	if err := checkPlain(b, OpTextResponse); err != nil {
		return err
	}
	*p = TextResponse{
		Final:             b[offFlags]&bitFinal != 0,
		Continue:          b[offFlags]&bitContinue != 0,
		DataSegmentLength: getDataLen(b),
		LUN:               getLUN(b),
		ITT:               get32(b, offITT),
		TTT:               get32(b, offTTT),
		StatSN:            getSerial(b, offStatSN),
		ExpCmdSN:          getSerial(b, offExpCmdSN),
		MaxCmdSN:          getSerial(b, offMaxCmdSN),
	}
	return p.check()
}

func (p *TextResponse) check() error {
	switch {
	case p.Final && p.Continue:
		return malformed(OpTextResponse, "F and C", "both set")
	case !p.Final && p.TTT == ReservedTag:
		return malformed(OpTextResponse, "Target Transfer Tag", "reserved although F is clear: the exchange cannot go on")
	}
	return checkTask(OpTextResponse, p.ITT)
}
