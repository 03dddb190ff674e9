package login

import (
	"fmt"
	"maps"
	"strconv"

	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// A Request is who asks a target for what: the first Login Request.
type Request struct {
	InitiatorName  string
	InitiatorAlias string
	TargetName     string // "" only in a discovery session
	SessionType    SessionType
	ISID           [6]byte
	TSIH           uint16 // 0: a new session, or the reinstatement of one
	CID            uint16
}

// TargetConfig says how a target answers logins. The zero value lets everybody
// log in to anything. Accept does not change it, and one may serve many
// connections at a time if its callbacks can.
type TargetConfig struct {
	TargetAlias    string // told to the initiator if not ""
	PortalGroupTag uint16 // of the portal that serves the connection

	MaxRecvDataSegmentLength int // bytes, 512 to 2^24-1; 0: 262144

	// Keys forces negotiable keys: the target takes the value for its own,
	// offers it if the initiator does not, and refuses the login if it does
	// not hold in the end. What a result function does not let one side force
	// (InitialR2T=No) can only be allowed by it.
	Keys map[string]string

	// Window is how many commands the initiator may have outstanding: it sets
	// MaxCmdSN. 0: 128.
	Window uint32

	StatSN pdu.Serial // of the first Login Response

	// Authorize decides whether the initiator may have what it asks for; nil
	// is yes. It refuses with an error of Refuse, sends the initiator
	// elsewhere with a *RedirectError; any other error is status 0300.
	Authorize func(Request) error

	// Auth returns the target's part of the security stage for an initiator;
	// nil, or a nil Authenticator: AuthMethod=None. An initiator that skips the
	// stage is refused unless the Authenticator's methods have None.
	Auth func(Request) (Authenticator, error)

	// Session gives the session its handle, never 0, when all else is agreed:
	// it ends the session with the same name and ISID (reinstatement) or, for a
	// TSIH other than 0, finds the one to be joined. It refuses as Authorize
	// does. nil: every new session has handle 1, and none can be joined.
	Session func(Request) (uint16, error)

	// TextSegment splits answers over several PDUs with this many bytes of
	// text each; 0: 8192, the most that a login PDU carries.
	TextSegment int
}

// targetOperands is what a target takes for its own where nothing is forced:
// wide enough to agree to what initiators offer.
var targetOperands = map[string]string{
	keyHeaderDigest:        "None,CRC32C",
	keyDataDigest:          "None,CRC32C",
	keyMaxConnections:      "1",
	keyInitialR2T:          valueNo,
	keyImmediateData:       valueYes,
	keyMaxBurstLength:      strconv.Itoa(maxLength),
	keyFirstBurstLength:    strconv.Itoa(maxLength),
	keyDefaultTime2Wait:    "0",
	keyDefaultTime2Retain:  "0",
	keyMaxOutstandingR2T:   "65535",
	keyDataPDUInOrder:      valueYes,
	keyDataSequenceInOrder: valueYes,
	keyErrorRecoveryLevel:  "0",
}

const defaultWindow = 128

func (cfg *TargetConfig) withDefaults() *TargetConfig {
	c := *cfg
	setDefault(&c.MaxRecvDataSegmentLength, defaultRecvSegment)
	setDefault(&c.TextSegment, maxSegment)
	if c.Window == 0 {
		c.Window = defaultWindow
	}
	if c.Authorize == nil {
		c.Authorize = func(Request) error { return nil }
	}
	if c.Auth == nil {
		c.Auth = func(Request) (Authenticator, error) { return nil, nil }
	}
	if c.Session == nil {
		c.Session = newSession
	}
	c.Keys = c.forced()
	return &c
}

func newSession(r Request) (uint16, error) {
	if r.TSIH != 0 {
		return 0, Refuse(pdu.LoginNoSession, fmt.Errorf("login: no session %#x", r.TSIH))
	}
	return 1, nil
}

// forced is Keys in canonical form, as far as it has one, with a
// FirstBurstLength that a forced MaxBurstLength allows.
func (cfg *TargetConfig) forced() map[string]string {
	forced := make(map[string]string, len(cfg.Keys))
	for name, v := range cfg.Keys {
		forced[name] = v
		if k := lookup(name); k != nil {
			if c, err := k.canonical(v); err == nil {
				forced[name] = c
			}
		}
	}
	limit, limited := forced[keyMaxBurstLength]
	first, ok := forced[keyFirstBurstLength]
	valid := toNumber(limit) >= lookup(keyMaxBurstLength).min
	if limited && valid && (!ok || toNumber(limit) < toNumber(first)) {
		forced[keyFirstBurstLength] = limit
	}
	return forced
}

// Validate reports what Accept would not begin with.
func (cfg *TargetConfig) Validate() error { return cfg.withDefaults().validate() }

func (cfg *TargetConfig) validate() error {
	for name := range cfg.Keys {
		if k := lookup(name); k != nil && (k.result == nil || k.phase != inOperational) {
			return fmt.Errorf("login: %s cannot be forced: it is not negotiated", name)
		}
	}
	if cfg.TextSegment < 1 || cfg.TextSegment > maxSegment {
		return fmt.Errorf("login: TextSegment %d: want 1 to %d", cfg.TextSegment, maxSegment)
	}
	return validPolicy(cfg.operands())
}

func (cfg *TargetConfig) operands() map[string]string {
	own := maps.Clone(targetOperands)
	maps.Copy(own, cfg.Keys)
	own[keyMaxRecvDataSegmentLength] = strconv.Itoa(cfg.MaxRecvDataSegmentLength)
	return own
}
