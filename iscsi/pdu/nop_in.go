package pdu

// NOPIn is the target's ping, its answer to the initiator's, or just a carrier of newer
// sequence numbers: then both tags are reserved (RFC 7143 11.19).
type NOPIn struct {
	DataSegmentLength uint32 // ping data in bytes, 0 to MaxDataLen

	LUN      LUN    // valid with TTT
	ITT      uint32 // copied from the NOP-Out that is answered; else ReservedTag
	TTT      uint32 // of a ping, to be copied into the answer; else ReservedTag
	StatSN   Serial // not advanced unless ITT is valid
	ExpCmdSN Serial
	MaxCmdSN Serial
}

// Encode writes all 48 bytes of the header.
func (p *NOPIn) Encode(b *BHS) {
	begin(b, OpNOPIn, false, bitFinal)
	putDataLen(b, p.DataSegmentLength)
	putLUN(b, p.LUN)
	put32(b, offITT, p.ITT)
	put32(b, offTTT, p.TTT)
	putSerial(b, offStatSN, p.StatSN)
	putSerial(b, offExpCmdSN, p.ExpCmdSN)
	putSerial(b, offMaxCmdSN, p.MaxCmdSN)
}

// Decode reads the header and checks its format. On error p is undefined.
func (p *NOPIn) Decode(b *BHS) error {
	if err := checkPlain(b, OpNOPIn); err != nil {
		return err
	}
	*p = NOPIn{
		DataSegmentLength: getDataLen(b),
		LUN:               getLUN(b),
		ITT:               get32(b, offITT),
		TTT:               get32(b, offTTT),
		StatSN:            getSerial(b, offStatSN),
		ExpCmdSN:          getSerial(b, offExpCmdSN),
		MaxCmdSN:          getSerial(b, offMaxCmdSN),
	}
	return nil
}
