package pdu

// DataOut carries write data to the target, solicited by an R2T or not (RFC 7143 11.7).
type DataOut struct {
	Final bool // F: last PDU of the sequence that one R2T, or none, asked for

	DataSegmentLength uint32 // bytes, 0 to MaxDataLen

	LUN          LUN // copied from the R2T; reserved when unsolicited
	ITT          uint32
	TTT          uint32 // copied from the R2T; ReservedTag when unsolicited
	ExpStatSN    Serial
	DataSN       Serial // from 0 in each sequence
	BufferOffset uint32 // bytes from the start of the command's data
}

// Encode writes all 48 bytes of the header.
func (p *DataOut) Encode(b *BHS) {
	begin(b, OpDataOut, false, bit(p.Final, bitFinal))
	putDataLen(b, p.DataSegmentLength)
	putLUN(b, p.LUN)
	put32(b, offITT, p.ITT)
	put32(b, offTTT, p.TTT)
	putSerial(b, offExpStatSN, p.ExpStatSN)
	putSerial(b, offDataSN, p.DataSN)
	put32(b, offBufferOffset, p.BufferOffset)
}

// Decode reads the header and checks its format. On error p is undefined.
func (p *DataOut) Decode(b *BHS) error {
	if err := checkPlain(b, OpDataOut); err != nil {
		return err
	}
	*p = DataOut{
		Final:             b[offFlags]&bitFinal != 0,
		DataSegmentLength: getDataLen(b),
		LUN:               getLUN(b),
		ITT:               get32(b, offITT),
		TTT:               get32(b, offTTT),
		ExpStatSN:         getSerial(b, offExpStatSN),
		DataSN:            getSerial(b, offDataSN),
		BufferOffset:      get32(b, offBufferOffset),
	}
	return checkTask(OpDataOut, p.ITT)
}
