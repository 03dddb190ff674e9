package pdu

// SNACKType is what a SNACK Request asks for or acknowledges (RFC 7143 11.16.1).
type SNACKType uint8

// The types.
const (
	SNACKData    SNACKType = 0 // Data-In or R2T PDUs again
	SNACKStatus  SNACKType = 1 // status PDUs again
	SNACKDataACK SNACKType = 2 // acknowledges Data-In PDUs
	SNACKRData   SNACKType = 3 // Data-In PDUs again, in new segments
)

// String returns the type's name.
func (t SNACKType) String() string {
	return name(t, []string{"Data/R2T", "Status", "DataACK", "R-Data"}, "SNACK type")
}

// SNACK asks the target to send PDUs again (RFC 7143 11.16). It belongs to error
// recovery levels 1 and up.
type SNACK struct {
	Type SNACKType

	LUN       LUN    // valid with SNACKDataACK
	ITT       uint32 // ReservedTag with SNACKStatus and SNACKDataACK
	TTT       uint32 // Target Transfer Tag or SNACK Tag
	ExpStatSN Serial
	BegRun    Serial // the first DataSN, R2TSN or StatSN
	RunLength uint32 // number of PDUs, 0 for all from BegRun
}

const (
	snackTypeMask = 0x0f
	offBegRun     = 40
	offRunLength  = 44
)

// Encode writes all 48 bytes of the header.
func (p *SNACK) Encode(b *BHS) {
	begin(b, OpSNACK, false, bitFinal|byte(p.Type)&snackTypeMask)
	putLUN(b, p.LUN)
	put32(b, offITT, p.ITT)
	put32(b, offTTT, p.TTT)
	putSerial(b, offExpStatSN, p.ExpStatSN)
	putSerial(b, offBegRun, p.BegRun)
	put32(b, offRunLength, p.RunLength)
}

// Decode reads the header and checks its format. On error p is undefined.
func (p *SNACK) Decode(b *BHS) error {
	if err := checkBare(b, OpSNACK); err != nil {
		return err
	}
	*p = SNACK{
		Type:      SNACKType(b[offFlags] & snackTypeMask),
		LUN:       getLUN(b),
		ITT:       get32(b, offITT),
		TTT:       get32(b, offTTT),
		ExpStatSN: getSerial(b, offExpStatSN),
		BegRun:    getSerial(b, offBegRun),
		RunLength: get32(b, offRunLength),
	}
	return nil
}
