package pdu

// Stage is a stage of the login (RFC 7143 11.12.3).
type Stage uint8

// The stages; 2 is reserved.
const (
	StageSecurity    Stage = 0
	StageOperational Stage = 1
	StageFullFeature Stage = 3

	stageReserved Stage = 2
)

// String returns the stage's name.
func (s Stage) String() string {
	return name(s, []string{"SecurityNegotiation", "LoginOperationalNegotiation", "", "FullFeaturePhase"}, "stage")
}

// LoginRequest carries the initiator's half of a login step; its text keys are the data
// segment (RFC 7143 11.12). It is always immediate.
type LoginRequest struct {
	Transit  bool  // T: ready to go to NSG
	Continue bool  // C: the text goes on in the next PDU
	CSG      Stage // current stage
	NSG      Stage // next stage, valid with Transit

	VersionMax uint8 // 0 is the version of RFC 7143
	VersionMin uint8

	DataSegmentLength uint32 // bytes, 0 to MaxDataLen

	ISID      [6]byte
	TSIH      uint16 // 0 opens a session
	ITT       uint32
	CID       uint16
	CmdSN     Serial
	ExpStatSN Serial
}

const (
	bitTransit  = 0x80
	bitContinue = 0x40
	shiftCSG    = 2
	stageMask   = 0x03

	offVersionMax = 2
	offVersionMin = 3
	offISID       = 8
	offTSIH       = 14
	offCID        = 20
)

// Encode writes all 48 bytes of the header.
func (p *LoginRequest) Encode(b *BHS) {
	begin(b, OpLoginRequest, true, stageFlags(p.Transit, p.Continue, p.CSG, p.NSG))
	b[offVersionMax] = p.VersionMax
	b[offVersionMin] = p.VersionMin
	putDataLen(b, p.DataSegmentLength)
	copy(b[offISID:], p.ISID[:])
	put16(b, offTSIH, p.TSIH)
	put32(b, offITT, p.ITT)
	put16(b, offCID, p.CID)
	putSerial(b, offCmdSN, p.CmdSN)
	putSerial(b, offExpStatSN, p.ExpStatSN)
}

// Decode reads the header and checks its format. NSG comes out zero without the T bit, and
// the I bit is not looked at. On error p is undefined.
func (p *LoginRequest) Decode(b *BHS) error {
	if err := checkPlain(b, OpLoginRequest); err != nil {
		return err
	}
	*p = LoginRequest{
		Transit:           b[offFlags]&bitTransit != 0,
		Continue:          b[offFlags]&bitContinue != 0,
		CSG:               currentStage(b),
		NSG:               nextStage(b),
		VersionMax:        b[offVersionMax],
		VersionMin:        b[offVersionMin],
		DataSegmentLength: getDataLen(b),
		ISID:              [6]byte(b[offISID:]),
		TSIH:              get16(b, offTSIH),
		ITT:               get32(b, offITT),
		CID:               get16(b, offCID),
		CmdSN:             getSerial(b, offCmdSN),
		ExpStatSN:         getSerial(b, offExpStatSN),
	}
	if err := checkStages(OpLoginRequest, p.Transit, p.Continue, p.CSG, p.NSG); err != nil {
		return err
	}
	return checkTask(OpLoginRequest, p.ITT)
}

func stageFlags(transit, cont bool, csg, nsg Stage) byte {
	return bit(transit, bitTransit) | bit(cont, bitContinue) |
		byte(csg)&stageMask<<shiftCSG | byte(nsg)&stageMask
}

func currentStage(b *BHS) Stage { return Stage(b[offFlags] >> shiftCSG & stageMask) }

// nextStage returns 0 where the field is reserved.
func nextStage(b *BHS) Stage {
	if b[offFlags]&bitTransit == 0 {
		return 0
	}
	return Stage(b[offFlags] & stageMask)
}

// checkStages checks the flags that requests and responses have in common.
func checkStages(op Opcode, transit, cont bool, csg, nsg Stage) error {
	switch {
	case transit && cont:
		return malformed(op, "T and C", "both set")
	case csg == stageReserved:
		return malformed(op, "CSG", "reserved value")
	case transit && nsg == stageReserved:
		return malformed(op, "NSG", "reserved value")
	}
	return nil
}
