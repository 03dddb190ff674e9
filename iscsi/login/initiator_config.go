package login

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// A Choice is a boolean key that may be left to its default.
type Choice uint8

const (
	Unset Choice = iota
	Yes
	No
)

func (c Choice) or(def Choice) Choice {
	if c == Unset {
		return def
	}
	return c
}

// InitiatorConfig says who logs in where, and what is offered. InitiatorName,
// and TargetName in a normal session, must be set; every other zero value is a
// working default. Initiate does not change it.
type InitiatorConfig struct {
	InitiatorName  string // iqn., eui. or naa.; at most 223 bytes
	InitiatorAlias string // told to the target if not ""
	TargetName     string // "" only in a discovery session
	SessionType    SessionType

	ISID [6]byte // with the InitiatorName it names the session at the target
	TSIH uint16  // 0: a new session, or the reinstatement of the one with this ISID; else the session to join, whose keys are not negotiated again
	CID  uint16  // of this connection

	CmdSN pdu.Serial // of the first command; 0: 1

	// HeaderDigest and DataDigest list "None" and "CRC32C", the most wanted
	// first; nil: None, CRC32C. What is not listed is not accepted.
	HeaderDigest []string
	DataDigest   []string

	InitialR2T    Choice // Unset: No, unsolicited data wanted
	ImmediateData Choice // Unset: Yes

	MaxRecvDataSegmentLength int // bytes, 512 to 2^24-1; 0: 262144
	MaxBurstLength           int // bytes, 512 to 2^24-1; 0: 16776192
	FirstBurstLength         int // bytes, 512 to MaxBurstLength; 0: 262144, or MaxBurstLength if that is less
	MaxOutstandingR2T        int // 1 to 65535; 0: 16

	DefaultTime2Wait   time.Duration // whole seconds up to an hour; the target may lengthen it
	DefaultTime2Retain time.Duration // whole seconds up to an hour; the target may shorten it

	// Auth answers the target's security methods; nil: none, AuthMethod=None.
	Auth Authenticator

	// Text longer than this many bytes is split over several PDUs; 0: 8192,
	// the most that a login PDU carries.
	textSegment int
}

const (
	digestCRC32C = "CRC32C"

	defaultRecvSegment = 256 << 10
	defaultMaxBurst    = 16<<20 - 1024
	defaultFirstBurst  = 256 << 10
	defaultOutstanding = 16
	defaultFirstCmdSN  = 1
	maxNameLength      = 223 // bytes of an iSCSI name
)

func (cfg *InitiatorConfig) withDefaults() *InitiatorConfig {
	c := *cfg
	if c.CmdSN == 0 {
		c.CmdSN = defaultFirstCmdSN
	}
	if c.HeaderDigest == nil {
		c.HeaderDigest = []string{valueNone, digestCRC32C}
	}
	if c.DataDigest == nil {
		c.DataDigest = []string{valueNone, digestCRC32C}
	}
	c.InitialR2T = c.InitialR2T.or(No)
	c.ImmediateData = c.ImmediateData.or(Yes)
	setDefault(&c.MaxRecvDataSegmentLength, defaultRecvSegment)
	setDefault(&c.MaxBurstLength, defaultMaxBurst)
	setDefault(&c.FirstBurstLength, min(defaultFirstBurst, c.MaxBurstLength))
	setDefault(&c.MaxOutstandingR2T, defaultOutstanding)
	setDefault(&c.textSegment, maxSegment)
	return &c
}

func setDefault(field *int, def int) {
	if *field == 0 {
		*field = def
	}
}

// Validate reports what Initiate would not begin with.
func (cfg *InitiatorConfig) Validate() error { return cfg.withDefaults().validate() }

func (cfg *InitiatorConfig) validate() error {
	if err := validName("InitiatorName", cfg.InitiatorName); err != nil {
		return err
	}
	if cfg.TargetName == "" && cfg.SessionType == Normal {
		return fmt.Errorf("login: no TargetName: a normal session needs one")
	}
	if cfg.TargetName != "" {
		if err := validName("TargetName", cfg.TargetName); err != nil {
			return err
		}
	}
	if cfg.FirstBurstLength > cfg.MaxBurstLength {
		return fmt.Errorf("login: FirstBurstLength %d is more than MaxBurstLength %d", cfg.FirstBurstLength, cfg.MaxBurstLength)
	}
	for _, d := range []time.Duration{cfg.DefaultTime2Wait, cfg.DefaultTime2Retain} {
		if d%time.Second != 0 {
			return fmt.Errorf("login: %v is no whole number of seconds", d)
		}
	}
	for _, digests := range [][]string{cfg.HeaderDigest, cfg.DataDigest} {
		for _, d := range digests {
			if d != valueNone && d != digestCRC32C {
				return fmt.Errorf("login: unknown digest %q: want None or CRC32C", d)
			}
		}
	}
	return validPolicy(cfg.operands())
}

// operands is the initiator's value of every key that it offers or declares.
func (cfg *InitiatorConfig) operands() map[string]string {
	return map[string]string{
		keyAuthMethod:               joinMethods(cfg.Auth),
		keyHeaderDigest:             strings.Join(cfg.HeaderDigest, ","),
		keyDataDigest:               strings.Join(cfg.DataDigest, ","),
		keyMaxConnections:           "1",
		keyInitialR2T:               fromBool(cfg.InitialR2T == Yes),
		keyImmediateData:            fromBool(cfg.ImmediateData == Yes),
		keyMaxRecvDataSegmentLength: strconv.Itoa(cfg.MaxRecvDataSegmentLength),
		keyMaxBurstLength:           strconv.Itoa(cfg.MaxBurstLength),
		keyFirstBurstLength:         strconv.Itoa(cfg.FirstBurstLength),
		keyDefaultTime2Wait:         fromSeconds(cfg.DefaultTime2Wait),
		keyDefaultTime2Retain:       fromSeconds(cfg.DefaultTime2Retain),
		keyMaxOutstandingR2T:        strconv.Itoa(cfg.MaxOutstandingR2T),
		keyDataPDUInOrder:           valueYes,
		keyDataSequenceInOrder:      valueYes,
		keyErrorRecoveryLevel:       "0",
	}
}

// validPolicy checks configured values against the table.
func validPolicy(own map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(own)) {
		k := lookup(name)
		if k == nil {
			return fmt.Errorf("login: unknown key %q", name)
		}
		if _, err := k.canonical(own[name]); err != nil {
			return fmt.Errorf("login: %s=%s: %w", name, own[name], err)
		}
	}
	return nil
}

// validName checks an iSCSI name as far as a peer could be confused by it.
func validName(key, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("login: no %s", key)
	case len(name) > maxNameLength:
		return fmt.Errorf("login: %s %s has %d bytes: at most %d are allowed", key, quoteValue(name), len(name), maxNameLength)
	case strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return fmt.Errorf("login: %s %s has a space or a control character", key, quoteValue(name))
	}
	for _, prefix := range []string{"iqn.", "eui.", "naa."} {
		if strings.HasPrefix(name, prefix) {
			return nil
		}
	}
	return fmt.Errorf("login: %s %s is no iSCSI name, which starts with iqn., eui. or naa.", key, quoteValue(name))
}
