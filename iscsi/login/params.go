package login

import (
	"time"

	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// A SessionType is what a session is for. RFC 7143, section 13.21.
type SessionType uint8

const (
	Normal    SessionType = iota // SCSI commands to one target
	Discovery                    // text requests only: SendTargets
)

func (t SessionType) String() string {
	if t == Discovery {
		return "Discovery"
	}
	return "Normal"
}

// Params is what a login agreed on. Both sides hold the same values but for the
// two data segment lengths, which change places. Lengths are in bytes.
type Params struct {
	InitiatorName string
	TargetName    string // "" in a discovery session that named none
	TargetAlias   string // "" if the target told none
	SessionType   SessionType

	ISID [6]byte
	TSIH uint16 // the session's handle at the target; never 0
	CID  uint16 // of this connection

	// TargetPortalGroupTag is the portal group of the connection, valid if
	// HasPortalGroup: some targets do not tell it.
	TargetPortalGroupTag uint16
	HasPortalGroup       bool

	HeaderDigest bool // CRC32C over every header after login
	DataDigest   bool // CRC32C over every data segment after login

	// MaxRecvDataSegmentLength is ours, the longest segment that the peer may
	// send; MaxXmitDataSegmentLength is the peer's, the longest that we may.
	MaxRecvDataSegmentLength int
	MaxXmitDataSegmentLength int

	InitialR2T          bool // no unsolicited Data-Out
	ImmediateData       bool // data in the command PDU is allowed
	FirstBurstLength    int  // unsolicited and immediate data of a command; at most MaxBurstLength
	MaxBurstLength      int  // of one sequence of Data-In, or of one R2T
	MaxOutstandingR2T   int  // of a task
	DataPDUInOrder      bool
	DataSequenceInOrder bool

	DefaultTime2Wait   time.Duration // whole seconds, at most an hour
	DefaultTime2Retain time.Duration // whole seconds, at most an hour
	ErrorRecoveryLevel int           // 0 to 2
	MaxConnections     int           // of the session

	// The sequence numbers after the last Login Response. CmdSN is that of the
	// first command, ExpStatSN that of the target's next status.
	CmdSN     pdu.Serial
	ExpStatSN pdu.Serial
	ExpCmdSN  pdu.Serial
	MaxCmdSN  pdu.Serial
}

// outcome fills in what the keys say, from the view of n's side.
func (p *Params) outcome(n *negotiation) {
	p.HeaderDigest = n.value(keyHeaderDigest) != valueNone
	p.DataDigest = n.value(keyDataDigest) != valueNone
	p.MaxRecvDataSegmentLength = int(toNumber(n.operand(lookup(keyMaxRecvDataSegmentLength))))
	p.MaxXmitDataSegmentLength = int(toNumber(n.peerValue(keyMaxRecvDataSegmentLength)))
	p.InitialR2T = toBool(n.value(keyInitialR2T))
	p.ImmediateData = toBool(n.value(keyImmediateData))
	p.MaxBurstLength = int(toNumber(n.value(keyMaxBurstLength)))
	// Who negotiates one of the two only may leave the first burst longer than
	// a burst, which section 13.14 forbids: a shorter one is always right.
	p.FirstBurstLength = min(int(toNumber(n.value(keyFirstBurstLength))), p.MaxBurstLength)
	p.MaxOutstandingR2T = int(toNumber(n.value(keyMaxOutstandingR2T)))
	p.DataPDUInOrder = toBool(n.value(keyDataPDUInOrder))
	p.DataSequenceInOrder = toBool(n.value(keyDataSequenceInOrder))
	p.DefaultTime2Wait = toSeconds(n.value(keyDefaultTime2Wait))
	p.DefaultTime2Retain = toSeconds(n.value(keyDefaultTime2Retain))
	p.ErrorRecoveryLevel = int(toNumber(n.value(keyErrorRecoveryLevel)))
	p.MaxConnections = int(toNumber(n.value(keyMaxConnections)))
}
