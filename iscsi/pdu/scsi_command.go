package pdu

// TaskAttr is the task attribute of a SCSI command (RFC 7143 11.3.1). SAM defines what they do.
type TaskAttr uint8

// The task attributes.
const (
	AttrUntagged    TaskAttr = 0
	AttrSimple      TaskAttr = 1
	AttrOrdered     TaskAttr = 2
	AttrHeadOfQueue TaskAttr = 3
	AttrACA         TaskAttr = 4
)

// String returns the attribute's name.
func (a TaskAttr) String() string {
	return name(a, []string{"untagged", "simple", "ordered", "head of queue", "ACA"}, "task attribute")
}

// SCSICommand carries a CDB to the target, with or without the first of its write data
// (RFC 7143 11.3).
type SCSICommand struct {
	Immediate bool // I: outside the CmdSN order
	Final     bool // F: no unsolicited Data-Out PDU follows
	Read      bool // R: data is expected from the target
	Write     bool // W: data goes to the target
	Attr      TaskAttr

	TotalAHSLength    uint8  // in 4-byte words
	DataSegmentLength uint32 // immediate data in bytes, 0 to MaxDataLen

	LUN                        LUN
	ITT                        uint32
	ExpectedDataTransferLength uint32 // bytes; of a bidirectional command, those to write
	CmdSN                      Serial
	ExpStatSN                  Serial
	CDB                        [16]byte // padded with zeroes; what is longer continues in an AHS
}

const (
	bitRead  = 0x40
	bitWrite = 0x20
	attrMask = 0x07
	offEDTL  = 20
	offCDB   = 32
)

// Encode writes all 48 bytes of the header.
func (p *SCSICommand) Encode(b *BHS) {
	begin(b, OpSCSICommand, p.Immediate,
		bit(p.Final, bitFinal)|bit(p.Read, bitRead)|bit(p.Write, bitWrite)|byte(p.Attr)&attrMask)
	b[offTotalAHSLen] = p.TotalAHSLength
	putDataLen(b, p.DataSegmentLength)
	putLUN(b, p.LUN)
	put32(b, offITT, p.ITT)
	put32(b, offEDTL, p.ExpectedDataTransferLength)
	putSerial(b, offCmdSN, p.CmdSN)
	putSerial(b, offExpStatSN, p.ExpStatSN)
	copy(b[offCDB:], p.CDB[:])
}

// Decode reads the header and checks its format. On error p is undefined.
func (p *SCSICommand) Decode(b *BHS) error {
	if err := checkOpcode(b, OpSCSICommand); err != nil {
		return err
	}
	*p = SCSICommand{
		Immediate:                  Immediate(b),
		Final:                      b[offFlags]&bitFinal != 0,
		Read:                       b[offFlags]&bitRead != 0,
		Write:                      b[offFlags]&bitWrite != 0,
		Attr:                       TaskAttr(b[offFlags] & attrMask),
		TotalAHSLength:             b[offTotalAHSLen],
		DataSegmentLength:          getDataLen(b),
		LUN:                        getLUN(b),
		ITT:                        get32(b, offITT),
		ExpectedDataTransferLength: get32(b, offEDTL),
		CmdSN:                      getSerial(b, offCmdSN),
		ExpStatSN:                  getSerial(b, offExpStatSN),
		CDB:                        [16]byte(b[offCDB:]),
	}
	return p.check()
}

func (p *SCSICommand) check() error {
	switch {
	case !p.Final && !p.Write:
		return malformed(OpSCSICommand, "F", "clear although W is clear: nothing can follow")
	case !p.Read && !p.Write && p.ExpectedDataTransferLength != 0:
		return malformed(OpSCSICommand, "Expected Data Transfer Length", "not 0 although R and W are clear")
	case p.Attr > AttrACA:
		return malformed(OpSCSICommand, "ATTR", "reserved value")
	}
	return checkTask(OpSCSICommand, p.ITT)
}
