package pdu

// LoginResponse carries the target's half of a login step; its text keys are the data
// segment (RFC 7143 11.13).
type LoginResponse struct {
	Transit  bool  // T: the target goes to NSG
	Continue bool  // C: the text goes on in the next PDU
	CSG      Stage // current stage
	NSG      Stage // next stage, valid with Transit

	VersionMax    uint8 // 0 is the version of RFC 7143
	VersionActive uint8

	DataSegmentLength uint32 // bytes, 0 to MaxDataLen

	ISID     [6]byte
	TSIH     uint16 // the session's handle, set in the last response of its leading login
	ITT      uint32
	StatSN   Serial
	ExpCmdSN Serial
	MaxCmdSN Serial

	StatusClass  StatusClass
	StatusDetail uint8
}

const (
	offVersionActive = 3
	offStatusClass   = 36
	offStatusDetail  = 37
)

// LoginStatus returns class and detail as one code.
func (p *LoginResponse) LoginStatus() LoginStatus {
	return LoginStatus(p.StatusClass)<<8 | LoginStatus(p.StatusDetail)
}

// SetLoginStatus sets class and detail.
func (p *LoginResponse) SetLoginStatus(s LoginStatus) {
	p.StatusClass, p.StatusDetail = s.Class(), uint8(s)
}

// Encode writes all 48 bytes of the header.
func (p *LoginResponse) Encode(b *BHS) {
	begin(b, OpLoginResponse, false, stageFlags(p.Transit, p.Continue, p.CSG, p.NSG))
	b[offVersionMax] = p.VersionMax
	b[offVersionActive] = p.VersionActive
	putDataLen(b, p.DataSegmentLength)
	copy(b[offISID:], p.ISID[:])
	put16(b, offTSIH, p.TSIH)
	put32(b, offITT, p.ITT)
	putSerial(b, offStatSN, p.StatSN)
	putSerial(b, offExpCmdSN, p.ExpCmdSN)
	putSerial(b, offMaxCmdSN, p.MaxCmdSN)
	b[offStatusClass] = byte(p.StatusClass)
	b[offStatusDetail] = p.StatusDetail
}

// Decode reads the header and checks its format. NSG comes out zero without the T bit. The
// flags of a response that ends the login are not checked, so that its status is
// what the caller sees. On error p is undefined.
func (p *LoginResponse) Decode(b *BHS) error {
	if err := checkPlain(b, OpLoginResponse); err != nil {
		return err
	}
	*p = LoginResponse{
		Transit:           b[offFlags]&bitTransit != 0,
		Continue:          b[offFlags]&bitContinue != 0,
		CSG:               currentStage(b),
		NSG:               nextStage(b),
		VersionMax:        b[offVersionMax],
		VersionActive:     b[offVersionActive],
		DataSegmentLength: getDataLen(b),
		ISID:              [6]byte(b[offISID:]),
		TSIH:              get16(b, offTSIH),
		ITT:               get32(b, offITT),
		StatSN:            getSerial(b, offStatSN),
		ExpCmdSN:          getSerial(b, offExpCmdSN),
		MaxCmdSN:          getSerial(b, offMaxCmdSN),
		StatusClass:       StatusClass(b[offStatusClass]),
		StatusDetail:      b[offStatusDetail],
	}
	if p.StatusClass != ClassSuccess {
		return nil
	}
	if err := checkStages(OpLoginResponse, p.Transit, p.Continue, p.CSG, p.NSG); err != nil {
		return err
	}
	return checkTask(OpLoginResponse, p.ITT)
}
