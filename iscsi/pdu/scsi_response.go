package pdu

// Response is the iSCSI service response of a SCSI Response (RFC 7143 11.4.3). Values from
// 0x80 are vendor specific, and all but ResponseCompleted say that there is no SCSI status.
type Response uint8

// The service responses.
const (
	ResponseCompleted     Response = 0x00 // command completed at target: Status is valid
	ResponseTargetFailure Response = 0x01
)

// String returns the response's name.
func (r Response) String() string {
	return name(r, []string{"command completed at target", "target failure"}, "response")
}

// SCSIResponse ends a command with its SCSI status; sense data, if any, is the data segment,
// behind a 2-byte SenseLength (RFC 7143 11.4).
type SCSIResponse struct {
	BidiOverflow  bool // o: BidiResidualCount counts bytes that did not fit
	BidiUnderflow bool // u: BidiResidualCount counts bytes that were not there
	Overflow      bool // O: ResidualCount counts bytes that did not fit
	Underflow     bool // U: ResidualCount counts bytes that were not there

	Response Response
	Status   uint8 // SCSI status, valid with ResponseCompleted only

	DataSegmentLength uint32 // bytes, 0 to MaxDataLen

	ITT               uint32
	SNACKTag          uint32
	StatSN            Serial
	ExpCmdSN          Serial
	MaxCmdSN          Serial
	ExpDataSN         Serial // number of Data-In and R2T PDUs sent for the command
	BidiResidualCount uint32 // bytes
	ResidualCount     uint32 // bytes
}

const (
	bitBidiOverflow  = 0x10
	bitBidiUnderflow = 0x08
	bitOverflow      = 0x04
	bitUnderflow     = 0x02

	offResponse      = 2
	offStatus        = 3
	offSNACKTag      = 20
	offExpDataSN     = 36
	offBidiResidual  = 40
	offResidualCount = 44
)

// Encode writes all 48 bytes of the header.
func (p *SCSIResponse) Encode(b *BHS) {
	begin(b, OpSCSIResponse, false, bitFinal|
		bit(p.BidiOverflow, bitBidiOverflow)|bit(p.BidiUnderflow, bitBidiUnderflow)|
		bit(p.Overflow, bitOverflow)|bit(p.Underflow, bitUnderflow))
	b[offResponse] = byte(p.Response)
	b[offStatus] = p.Status
	putDataLen(b, p.DataSegmentLength)
	put32(b, offITT, p.ITT)
	put32(b, offSNACKTag, p.SNACKTag)
	putSerial(b, offStatSN, p.StatSN)
	putSerial(b, offExpCmdSN, p.ExpCmdSN)
	putSerial(b, offMaxCmdSN, p.MaxCmdSN)
	putSerial(b, offExpDataSN, p.ExpDataSN)
	put32(b, offBidiResidual, p.BidiResidualCount)
	put32(b, offResidualCount, p.ResidualCount)
}

// Decode reads the header and checks its format. The four residual flags mean nothing
// beside a Response other than ResponseCompleted and come out clear then. On error p is
// undefined.
func (p *SCSIResponse) Decode(b *BHS) error {
	if err := checkPlain(b, OpSCSIResponse); err != nil {
		return err
	}
	flags := b[offFlags]
	if Response(b[offResponse]) != ResponseCompleted {
		flags = 0
	}
	*p = SCSIResponse{
		BidiOverflow:      flags&bitBidiOverflow != 0,
		BidiUnderflow:     flags&bitBidiUnderflow != 0,
		Overflow:          flags&bitOverflow != 0,
		Underflow:         flags&bitUnderflow != 0,
		Response:          Response(b[offResponse]),
		Status:            b[offStatus],
		DataSegmentLength: getDataLen(b),
		ITT:               get32(b, offITT),
		SNACKTag:          get32(b, offSNACKTag),
		StatSN:            getSerial(b, offStatSN),
		ExpCmdSN:          getSerial(b, offExpCmdSN),
		MaxCmdSN:          getSerial(b, offMaxCmdSN),
		ExpDataSN:         getSerial(b, offExpDataSN),
		BidiResidualCount: get32(b, offBidiResidual),
		ResidualCount:     get32(b, offResidualCount),
	}
	return p.check()
}

func (p *SCSIResponse) check() error {
	switch {
	case p.Overflow && p.Underflow:
		return malformed(OpSCSIResponse, "O and U", "both set")
	case p.BidiOverflow && p.BidiUnderflow:
		return malformed(OpSCSIResponse, "o and u", "both set")
	}
	return checkTask(OpSCSIResponse, p.ITT)
}
