package pdu

// LogoutReason is what a Logout Request closes, and why (RFC 7143 11.14.1).
type LogoutReason uint8

// The reasons.
const (
	LogoutCloseSession     LogoutReason = 0
	LogoutCloseConnection  LogoutReason = 1
	LogoutRemoveConnection LogoutReason = 2 // for recovery
)

// String returns the reason's name.
func (r LogoutReason) String() string {
	return name(r, []string{"close the session", "close the connection", "remove the connection for recovery"}, "logout reason")
}

// LogoutRequest asks for the end of a session or of a connection (RFC 7143 11.14).
type LogoutRequest struct {
	Immediate bool // I: outside the CmdSN order
	Reason    LogoutReason

	ITT       uint32
	CID       uint16 // the connection; reserved with LogoutCloseSession
	CmdSN     Serial
	ExpStatSN Serial
}

const reasonMask = 0x7f

// Encode writes all 48 bytes of the header.
func (p *LogoutRequest) Encode(b *BHS) {
	begin(b, OpLogoutRequest, p.Immediate, bitFinal|byte(p.Reason)&reasonMask)
	put32(b, offITT, p.ITT)
	put16(b, offCID, p.CID)
	putSerial(b, offCmdSN, p.CmdSN)
	putSerial(b, offExpStatSN, p.ExpStatSN)
}

// Decode reads the header and checks its format. On error p is undefined.
func (p *LogoutRequest) Decode(b *BHS) error {
	if err := checkBare(b, OpLogoutRequest); err != nil {
		return err
	}
	*p = LogoutRequest{
		Immediate: Immediate(b),
		Reason:    LogoutReason(b[offFlags] & reasonMask),
		ITT:       get32(b, offITT),
		CID:       get16(b, offCID),
		CmdSN:     getSerial(b, offCmdSN),
		ExpStatSN: getSerial(b, offExpStatSN),
	}
	return checkTask(OpLogoutRequest, p.ITT)
}
