package login

// side is a party of the negotiation; a key says which of them may send it.
type side uint8

const (
	initiator side = 1 << iota
	target

	either = initiator | target
)

func (s side) String() string {
	switch s {
	case initiator:
		return "initiator"
	case target:
		return "target"
	default:
		return "initiator or target"
	}
}

func (s side) peer() side { return either &^ s }

// phase is a set of the stages in which a key may be sent. Within it a stage
// of the wire (CSG, NSG) has one bit.
type phase uint8

const (
	inSecurity phase = 1 << iota
	inOperational
	inFullFeature

	anyStage = inSecurity | inOperational | inFullFeature
)

// kind is the syntax of a key's value. RFC 7143, section 6.1.
type kind uint8

const (
	text    kind = iota // anything: a name, an address, an alias
	boolean             // Yes or No
	number              // decimal or 0x hexadecimal, within [min, max]
	list                // comma separated, the most wanted first
)

// A key is one line of the table: what RFC 7143 says of a text key.
type key struct {
	name    string
	section string // of RFC 7143
	kind    kind
	def     string // the value of a key that nobody sent, canonical
	min     uint32
	max     uint32
	result  result // nil: declared, not negotiated
	senders side
	phase   phase
	normal  bool // irrelevant in a discovery session
	leading bool // only on the first connection of a session
	repeats bool // may be declared more than once
}

const (
	keyAuthMethod               = "AuthMethod"
	keyHeaderDigest             = "HeaderDigest"
	keyDataDigest               = "DataDigest"
	keyMaxConnections           = "MaxConnections"
	keySendTargets              = "SendTargets"
	keyTargetName               = "TargetName"
	keyInitiatorName            = "InitiatorName"
	keyTargetAlias              = "TargetAlias"
	keyInitiatorAlias           = "InitiatorAlias"
	keyTargetAddress            = "TargetAddress"
	keyTargetPortalGroupTag     = "TargetPortalGroupTag"
	keyInitialR2T               = "InitialR2T"
	keyImmediateData            = "ImmediateData"
	keyMaxRecvDataSegmentLength = "MaxRecvDataSegmentLength"
	keyMaxBurstLength           = "MaxBurstLength"
	keyFirstBurstLength         = "FirstBurstLength"
	keyDefaultTime2Wait         = "DefaultTime2Wait"
	keyDefaultTime2Retain       = "DefaultTime2Retain"
	keyMaxOutstandingR2T        = "MaxOutstandingR2T"
	keyDataPDUInOrder           = "DataPDUInOrder"
	keyDataSequenceInOrder      = "DataSequenceInOrder"
	keyErrorRecoveryLevel       = "ErrorRecoveryLevel"
	keySessionType              = "SessionType"
	keyTaskReporting            = "TaskReporting"
	keyProtocolLevel            = "iSCSIProtocolLevel"
)

// Reserved values. RFC 7143, section 6.2.
const (
	valueYes           = "Yes"
	valueNo            = "No"
	valueNone          = "None"
	valueReject        = "Reject"
	valueIrrelevant    = "Irrelevant"
	valueNotUnderstood = "NotUnderstood"
)

const maxLength = 1<<24 - 1 // of a burst or a data segment

// keys is the table, in the order of RFC 7143: section 12.1, then section 13.
var keys = []key{
	{name: keyAuthMethod, section: "12.1", kind: list, result: choose, senders: either, phase: inSecurity},
	{name: keyHeaderDigest, section: "13.1", kind: list, def: valueNone, result: choose, senders: either, phase: inOperational},
	{name: keyDataDigest, section: "13.1", kind: list, def: valueNone, result: choose, senders: either, phase: inOperational},
	{name: keyMaxConnections, section: "13.2", kind: number, def: "1", min: 1, max: 65535, result: minimum, senders: either, phase: inOperational, normal: true, leading: true},
	{name: keySendTargets, section: "13.3", senders: initiator, phase: inFullFeature},
	{name: keyTargetName, section: "13.4", senders: either, phase: anyStage},
	{name: keyInitiatorName, section: "13.5", senders: initiator, phase: anyStage},
	{name: keyTargetAlias, section: "13.6", senders: target, phase: anyStage},
	{name: keyInitiatorAlias, section: "13.7", senders: initiator, phase: anyStage},
	{name: keyTargetAddress, section: "13.8", senders: target, phase: anyStage, repeats: true},
	{name: keyTargetPortalGroupTag, section: "13.9", kind: number, max: 65535, senders: target, phase: anyStage},
	{name: keyInitialR2T, section: "13.10", kind: boolean, def: valueYes, result: or, senders: either, phase: inOperational, normal: true, leading: true},
	{name: keyImmediateData, section: "13.11", kind: boolean, def: valueYes, result: and, senders: either, phase: inOperational, normal: true, leading: true},
	{name: keyMaxRecvDataSegmentLength, section: "13.12", kind: number, def: "8192", min: 512, max: maxLength, senders: either, phase: inOperational | inFullFeature},
	{name: keyMaxBurstLength, section: "13.13", kind: number, def: "262144", min: 512, max: maxLength, result: minimum, senders: either, phase: inOperational, normal: true, leading: true},
	{name: keyFirstBurstLength, section: "13.14", kind: number, def: "65536", min: 512, max: maxLength, result: minimum, senders: either, phase: inOperational, normal: true, leading: true},
	{name: keyDefaultTime2Wait, section: "13.15", kind: number, def: "2", max: 3600, result: maximum, senders: either, phase: inOperational, leading: true},
	{name: keyDefaultTime2Retain, section: "13.16", kind: number, def: "20", max: 3600, result: minimum, senders: either, phase: inOperational, leading: true},
	{name: keyMaxOutstandingR2T, section: "13.17", kind: number, def: "1", min: 1, max: 65535, result: minimum, senders: either, phase: inOperational, normal: true, leading: true},
	{name: keyDataPDUInOrder, section: "13.18", kind: boolean, def: valueYes, result: or, senders: either, phase: inOperational, normal: true, leading: true},
	{name: keyDataSequenceInOrder, section: "13.19", kind: boolean, def: valueYes, result: or, senders: either, phase: inOperational, normal: true, leading: true},
	{name: keyErrorRecoveryLevel, section: "13.20", kind: number, def: "0", max: 2, result: minimum, senders: either, phase: inOperational, leading: true},
	{name: keySessionType, section: "13.21", def: "Normal", senders: initiator, phase: anyStage, leading: true},
	{name: keyTaskReporting, section: "13.23", kind: list, def: "RFC3720", result: choose, senders: either, phase: inOperational, normal: true, leading: true},
	{name: keyProtocolLevel, section: "13.24", kind: number, def: "1", max: 31, result: minimum, senders: either, phase: inOperational, normal: true, leading: true},

	// RFC 7143 retired the markers of RFC 3720: who still offers them is told
	// Reject, never NotUnderstood.
	{name: "OFMarker", section: "13.25", result: retired, senders: either, phase: inOperational},
	{name: "IFMarker", section: "13.25", result: retired, senders: either, phase: inOperational},
	{name: "OFMarkInt", section: "13.25", result: retired, senders: either, phase: inOperational},
	{name: "IFMarkInt", section: "13.25", result: retired, senders: either, phase: inOperational},
}

// lookup finds a key's line; nil for the extensions (X-, X#) and everything
// else that the table does not hold. Names are case sensitive.
func lookup(name string) *key {
	for i := range keys {
		if keys[i].name == name {
			return &keys[i]
		}
	}
	return nil
}
