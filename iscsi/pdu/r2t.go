package pdu

// R2T, Ready To Transfer, asks the initiator for a part of a command's write data (RFC 7143 11.8).
type R2T struct {
	LUN               LUN
	ITT               uint32
	TTT               uint32 // to be copied into the Data-Out PDUs that answer
	StatSN            Serial // the next StatSN; not advanced by an R2T
	ExpCmdSN          Serial
	MaxCmdSN          Serial
	R2TSN             Serial // counts the command's R2Ts (and Data-In PDUs) from 0
	BufferOffset      uint32 // bytes from the start of the command's data
	DesiredDataLength uint32 // bytes, at least 1
}

const offDesiredDataLength = 44

// Encode writes all 48 bytes of the header.
func (p *R2T) Encode(b *BHS) {
	begin(b, OpR2T, false, bitFinal)
	putLUN(b, p.LUN)
	put32(b, offITT, p.ITT)
	put32(b, offTTT, p.TTT)
	putSerial(b, offStatSN, p.StatSN)
	putSerial(b, offExpCmdSN, p.ExpCmdSN)
	putSerial(b, offMaxCmdSN, p.MaxCmdSN)
	putSerial(b, offDataSN, p.R2TSN)
	put32(b, offBufferOffset, p.BufferOffset)
	put32(b, offDesiredDataLength, p.DesiredDataLength)
}

// Decode reads the header and checks its format. On error p is undefined.
func (p *R2T) Decode(b *BHS) error {
	if err := checkBare(b, OpR2T); err != nil {
		return err
	}
	*p = R2T{
		LUN:               getLUN(b),
		ITT:               get32(b, offITT),
		TTT:               get32(b, offTTT),
		StatSN:            getSerial(b, offStatSN),
		ExpCmdSN:          getSerial(b, offExpCmdSN),
		MaxCmdSN:          getSerial(b, offMaxCmdSN),
		R2TSN:             getSerial(b, offDataSN),
		BufferOffset:      get32(b, offBufferOffset),
		DesiredDataLength: get32(b, offDesiredDataLength),
	}
	return p.check()
}

func (p *R2T) check() error {
	switch {
	case p.TTT == ReservedTag:
		return malformed(OpR2T, "Target Transfer Tag", "must not be the reserved tag 0xffffffff")
	case p.DesiredDataLength == 0:
		return malformed(OpR2T, "Desired Data Transfer Length", "must not be 0")
	}
	return checkTask(OpR2T, p.ITT)
}
