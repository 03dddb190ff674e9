package pdu

// LogoutResult is the outcome of a logout (RFC 7143 11.15.1).
type LogoutResult uint8

// The outcomes.
const (
	LogoutClosed        LogoutResult = 0
	LogoutNoCID         LogoutResult = 1 // CID not found
	LogoutNoRecovery    LogoutResult = 2 // connection recovery is not supported
	LogoutCleanupFailed LogoutResult = 3
)

// String returns the outcome's name.
func (r LogoutResult) String() string {
	return name(r, []string{
		"closed", "CID not found", "connection recovery not supported", "cleanup failed",
	}, "logout response")
}

// LogoutResponse answers a Logout Request (RFC 7143 11.15).
type LogoutResponse struct {
	Response LogoutResult

	ITT         uint32
	StatSN      Serial
	ExpCmdSN    Serial
	MaxCmdSN    Serial
	Time2Wait   uint16 // seconds before the initiator may connect again
	Time2Retain uint16 // seconds after that for which the target keeps the tasks
}

const (
	offTime2Wait   = 40
	offTime2Retain = 42
)

// Encode writes all 48 bytes of the header.
func (p *LogoutResponse) Encode(b *BHS) {
	begin(b, OpLogoutResponse, false, bitFinal)
	b[offResponse] = byte(p.Response)
	put32(b, offITT, p.ITT)
	putSerial(b, offStatSN, p.StatSN)
	putSerial(b, offExpCmdSN, p.ExpCmdSN)
	putSerial(b, offMaxCmdSN, p.MaxCmdSN)
	put16(b, offTime2Wait, p.Time2Wait)
	put16(b, offTime2Retain, p.Time2Retain)
}

// Decode reads the header and checks its format. On error p is undefined.
func (p *LogoutResponse) Decode(b *BHS) error {
	if err := checkBare(b, OpLogoutResponse); err != nil {
		return err
	}
	*p = LogoutResponse{
		Response:    LogoutResult(b[offResponse]),
		ITT:         get32(b, offITT),
		StatSN:      getSerial(b, offStatSN),
		ExpCmdSN:    getSerial(b, offExpCmdSN),
		MaxCmdSN:    getSerial(b, offMaxCmdSN),
		Time2Wait:   get16(b, offTime2Wait),
		Time2Retain: get16(b, offTime2Retain),
	}
	return checkTask(OpLogoutResponse, p.ITT)
}
