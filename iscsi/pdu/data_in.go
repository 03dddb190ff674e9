package pdu

// DataIn carries read data to the initiator and, in the last PDU of a command that
// ended well, optionally its status (RFC 7143 11.7).
type DataIn struct {
	Final     bool // F: last PDU of the sequence
	Ack       bool // A: a DataACK SNACK is asked for (error recovery level 1 and up)
	HasStatus bool // S: Status, StatSN, the residual and its flags are valid; no SCSI Response follows
	Overflow  bool // O: ResidualCount counts bytes that did not fit
	Underflow bool // U: ResidualCount counts bytes that were not there
	Status    uint8

	DataSegmentLength uint32 // bytes, 0 to MaxDataLen

	LUN           LUN // valid with Ack
	ITT           uint32
	TTT           uint32 // valid with Ack, else ReservedTag
	StatSN        Serial // valid with HasStatus
	ExpCmdSN      Serial
	MaxCmdSN      Serial
	DataSN        Serial // counts the command's Data-In PDUs (and R2Ts) from 0
	BufferOffset  uint32 // bytes from the start of the command's data
	ResidualCount uint32 // bytes, valid with HasStatus
}

const (
	bitAck    = 0x40
	bitStatus = 0x01
)

// Encode writes all 48 bytes of the header.
func (p *DataIn) Encode(b *BHS) {
	begin(b, OpDataIn, false, bit(p.Final, bitFinal)|bit(p.Ack, bitAck)|
		bit(p.Overflow, bitOverflow)|bit(p.Underflow, bitUnderflow)|bit(p.HasStatus, bitStatus))
	b[offStatus] = p.Status
	putDataLen(b, p.DataSegmentLength)
	putLUN(b, p.LUN)
	put32(b, offITT, p.ITT)
	put32(b, offTTT, p.TTT)
	putSerial(b, offStatSN, p.StatSN)
	putSerial(b, offExpCmdSN, p.ExpCmdSN)
	putSerial(b, offMaxCmdSN, p.MaxCmdSN)
	putSerial(b, offDataSN, p.DataSN)
	put32(b, offBufferOffset, p.BufferOffset)
	put32(b, offResidualCount, p.ResidualCount)
}

// Decode reads the header and checks its format. Without the S bit the fields that
// depend on it are reserved and come out zero. On error p is undefined.
func (p *DataIn) Decode(b *BHS) error {
	if err := checkPlain(b, OpDataIn); err != nil {
		return err
	}
	flags := b[offFlags]
	*p = DataIn{
		Final:             flags&bitFinal != 0,
		Ack:               flags&bitAck != 0,
		DataSegmentLength: getDataLen(b),
		LUN:               getLUN(b),
		ITT:               get32(b, offITT),
		TTT:               get32(b, offTTT),
		ExpCmdSN:          getSerial(b, offExpCmdSN),
		MaxCmdSN:          getSerial(b, offMaxCmdSN),
		DataSN:            getSerial(b, offDataSN),
		BufferOffset:      get32(b, offBufferOffset),
	}
	if flags&bitStatus != 0 {
		p.decodeStatus(b)
	}
	return p.check()
}

func (p *DataIn) decodeStatus(b *BHS) {
	p.HasStatus = true
	p.Overflow = b[offFlags]&bitOverflow != 0
	p.Underflow = b[offFlags]&bitUnderflow != 0
	p.Status = b[offStatus]
	p.StatSN = getSerial(b, offStatSN)
	p.ResidualCount = get32(b, offResidualCount)
}

func (p *DataIn) check() error {
	switch {
	case p.HasStatus && !p.Final:
		return malformed(OpDataIn, "S", "set without F: status comes with the last PDU only")
	case p.Overflow && p.Underflow:
		return malformed(OpDataIn, "O and U", "both set")
	case p.Ack && p.TTT == ReservedTag:
		return malformed(OpDataIn, "Target Transfer Tag", "reserved although A asks for an acknowledgement of it")
	}
	return checkTask(OpDataIn, p.ITT)
}
