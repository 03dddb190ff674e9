package pdu

// RejectReason says why a PDU was refused (RFC 7143 11.17.1).
type RejectReason uint8

// The reasons.
const (
	RejectDataDigest          RejectReason = 0x02
	RejectSNACK               RejectReason = 0x03
	RejectProtocolError       RejectReason = 0x04
	RejectCommandNotSupported RejectReason = 0x05
	RejectTooManyImmediate    RejectReason = 0x06
	RejectTaskInProgress      RejectReason = 0x07
	RejectInvalidDataACK      RejectReason = 0x08
	RejectInvalidPDUField     RejectReason = 0x09
	RejectLongOperation       RejectReason = 0x0a // no Target Transfer Tag to be had
	RejectNegotiationReset    RejectReason = 0x0b // of RFC 3720, no longer to be sent
	RejectWaitingForLogout    RejectReason = 0x0c
)

// String returns the reason's name.
func (r RejectReason) String() string {
	return name(r, []string{
		RejectDataDigest: "data digest error", RejectSNACK: "SNACK reject",
		RejectProtocolError: "protocol error", RejectCommandNotSupported: "command not supported",
		RejectTooManyImmediate: "too many immediate commands", RejectTaskInProgress: "task in progress",
		RejectInvalidDataACK: "invalid data ACK", RejectInvalidPDUField: "invalid PDU field",
		RejectLongOperation: "long operation reject", RejectNegotiationReset: "negotiation reset",
		RejectWaitingForLogout: "waiting for logout",
	}, "reject reason")
}

// Reject tells the initiator that the target refused a PDU. That PDU's header is the
// data segment, and the only thing that says which task it was (RFC 7143 11.17).
type Reject struct {
	Reason RejectReason

	DataSegmentLength uint32 // bytes, 0 to MaxDataLen

	StatSN   Serial
	ExpCmdSN Serial
	MaxCmdSN Serial
	DataSN   Serial // or R2TSN: the next one, where a Data SNACK was refused
}

// Encode writes all 48 bytes of the header.
func (p *Reject) Encode(b *BHS) {
	begin(b, OpReject, false, bitFinal)
	b[offResponse] = byte(p.Reason)
	putDataLen(b, p.DataSegmentLength)
	put32(b, offITT, ReservedTag)
	putSerial(b, offStatSN, p.StatSN)
	putSerial(b, offExpCmdSN, p.ExpCmdSN)
	putSerial(b, offMaxCmdSN, p.MaxCmdSN)
	putSerial(b, offDataSN, p.DataSN)
}

// Decode reads the header and checks its format. On error p is undefined.
func (p *Reject) Decode(b *BHS) error {
	if err := checkPlain(b, OpReject); err != nil {
		return err
	}
	*p = Reject{
		Reason:            RejectReason(b[offResponse]),
		DataSegmentLength: getDataLen(b),
		StatSN:            getSerial(b, offStatSN),
		ExpCmdSN:          getSerial(b, offExpCmdSN),
		MaxCmdSN:          getSerial(b, offMaxCmdSN),
		DataSN:            getSerial(b, offDataSN),
	}
	return nil
}
