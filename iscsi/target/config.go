package target

import (
	"fmt"
	"log/slog"
	"maps"
	"strconv"
	"time"

	"github.com/hawser-storage/hawser/iscsi/login"
)

// DefaultIQN is the name of a target that was given none.
const DefaultIQN = "iqn.2026-11.io.hawser:target"

// Config says what a target is. The zero value, with a LUN or two, works.
type Config struct {
	IQN   string // "": DefaultIQN
	Alias string // told at login if not ""

	LUNs []LUN // numbered from 0

	// Force has the negotiable keys that the target insists on, and its MaxRecvDataSegmentLength: InitialR2T=Yes, HeaderDigest=CRC32C.
	Force map[string]string

	// QueueDepth is how many commands a session may have outstanding; 0: 128, at most 1024.
	QueueDepth int

	// PingInterval is how long a connection may be silent before it is asked with a NOP-In, and then how long it may take to answer
	// before it is dropped; 0: never.
	PingInterval time.Duration

	// Lenient is for initiators of others. It ignores commands outside the CmdSN window, as RFC 7143 4.2.2.1 asks, and rejects Data-Out
	// with a wrong DataSN or length; otherwise these are violations that cost the connection, so that a test sees them. And it does not look at
	// ExpStatSN: libiscsi, and with it qemu, takes the StatSN of an R2T for that of a response.
	Lenient bool

	// Auth is the target's part of the security stage; nil: nobody has to prove anything.
	Auth func(login.Request) (login.Authenticator, error)

	// OnViolation is called on the loop for every violation, if not nil.
	OnViolation func(Violation)

	Logger *slog.Logger // nil: silent
}

const (
	defaultQueueDepth = 128
	maxQueueDepth     = 1024
	maxImmediate      = 32 // immediate commands that a session may have outstanding beside its window

	keyMaxRecv = "MaxRecvDataSegmentLength"

	defaultMaxRecv = 256 << 10

	// maxTransfer bounds a command's payload, in bytes; VPD page B0 tells it.
	maxTransfer = 16 << 20
)

func (cfg Config) withDefaults() Config {
	if cfg.IQN == "" {
		cfg.IQN = DefaultIQN
	}
	if cfg.QueueDepth == 0 {
		cfg.QueueDepth = defaultQueueDepth
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return cfg
}

func (cfg *Config) validate() error {
	switch {
	case cfg.QueueDepth < 1 || cfg.QueueDepth > maxQueueDepth:
		return fmt.Errorf("target: queue depth %d is not in 1..%d", cfg.QueueDepth, maxQueueDepth)
	case len(cfg.LUNs) > 16384:
		return fmt.Errorf("target: %d LUNs: at most 16384 have numbers", len(cfg.LUNs))
	}
	_, _, err := cfg.keys()
	return err
}

// keys is Force without the key that is declared and not negotiated.
func (cfg *Config) keys() (forced map[string]string, maxRecv int, err error) {
	forced, maxRecv = maps.Clone(cfg.Force), defaultMaxRecv
	if v, ok := forced[keyMaxRecv]; ok {
		delete(forced, keyMaxRecv)
		if maxRecv, err = strconv.Atoi(v); err != nil || maxRecv < 512 || maxRecv >= 1<<24 {
			return nil, 0, fmt.Errorf("target: %s=%s: want a number from 512 to 16777215", keyMaxRecv, v)
		}
	}
	return forced, maxRecv, nil
}
