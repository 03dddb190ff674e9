package iscsi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/hawser-storage/hawser/iscsi/login"
)

// Config is how a session is made and kept. The names and the portal must be set; every other zero value is a default. The
// timeouts have open-iscsi's names.
type Config struct {
	InitiatorName string
	TargetName    string
	Portal        Portal

	// Owner and Lane distinguish sessions that would otherwise be one: the owner is the target, or a volume that has sessions of
	// its own. Both are part of the ISID.
	Owner string
	Lane  int

	// Login is what is offered; names and ISID are filled in from here.
	Login login.InitiatorConfig

	LoginTimeout   time.Duration // login_timeout: dial and login; default 15 s
	LogoutTimeout  time.Duration // logout_timeout: default 15 s
	NOOPInterval   time.Duration // noop_out_interval: silence after which we ask; default 5 s
	NOOPTimeout    time.Duration // noop_out_timeout: further silence that ends the connection; default 5 s
	CommandTimeout time.Duration // a command not answered for so long is aborted; default 30 s
	AbortTimeout   time.Duration // abort_timeout: an ABORT TASK not answered ends the connection; default 15 s
	LUResetTimeout time.Duration // lu_reset_timeout: the same for LOGICAL UNIT RESET; default 30 s
	RetryMin       time.Duration // wait before the second attempt to log in; doubled for each further one; default 1 s
	RetryMax       time.Duration // the longest such wait; default 30 s

	CmdsMax int // cmds_max: commands in flight on the session, 1 to 1024; default 128

	// SocketBuffer is the size asked for both TCP buffers in bytes; the default is 1 MiB, AIX's sb_max. BufferAuto leaves it to
	// the kernel, which is better on long fast links.
	SocketBuffer int

	// Dial opens the connection; nil dials TCP. It sets its own time limit.
	Dial func(ctx context.Context, cfg *Config) (net.Conn, error)

	// Logger hears of state changes; nil is slog's default. Nothing is logged for a single I/O.
	Logger *slog.Logger
}

// BufferAuto as Config.SocketBuffer leaves the socket buffers to the kernel.
const BufferAuto = -1

const (
	defaultLoginTimeout   = 15 * time.Second
	defaultLogoutTimeout  = 15 * time.Second
	defaultNOOPInterval   = 5 * time.Second
	defaultNOOPTimeout    = 5 * time.Second
	defaultCommandTimeout = 30 * time.Second
	defaultAbortTimeout   = 15 * time.Second
	defaultLUResetTimeout = 30 * time.Second
	defaultRetryMin       = time.Second
	defaultRetryMax       = 30 * time.Second
	defaultCmdsMax        = 128
	defaultSocketBuffer   = 1 << 20
)

func (cfg Config) withDefaults() Config {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&cfg.LoginTimeout, defaultLoginTimeout},
		{&cfg.LogoutTimeout, defaultLogoutTimeout},
		{&cfg.NOOPInterval, defaultNOOPInterval},
		{&cfg.NOOPTimeout, defaultNOOPTimeout},
		{&cfg.CommandTimeout, defaultCommandTimeout},
		{&cfg.AbortTimeout, defaultAbortTimeout},
		{&cfg.LUResetTimeout, defaultLUResetTimeout},
		{&cfg.RetryMin, defaultRetryMin},
		{&cfg.RetryMax, defaultRetryMax},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if cfg.CmdsMax == 0 {
		cfg.CmdsMax = defaultCmdsMax
	}
	if cfg.SocketBuffer == 0 {
		cfg.SocketBuffer = defaultSocketBuffer
	}
	if cfg.Owner == "" {
		cfg.Owner = cfg.TargetName
	}
	if cfg.Dial == nil {
		cfg.Dial = dialTCP
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	cfg.Login.InitiatorName, cfg.Login.TargetName = cfg.InitiatorName, cfg.TargetName
	cfg.Login.ISID = NewISID(cfg.InitiatorName, cfg.TargetName, cfg.Portal, cfg.Owner, cfg.Lane)
	return cfg
}

func (cfg *Config) validate() error {
	if err := ValidName(cfg.InitiatorName); err != nil {
		return fmt.Errorf("iscsi: initiator: %w", err)
	}
	if err := ValidName(cfg.TargetName); err != nil {
		return fmt.Errorf("iscsi: target: %w", err)
	}
	if cfg.Portal.Host == "" || cfg.Portal.Port == 0 {
		return errors.New("iscsi: no portal")
	}
	if cfg.CmdsMax < 1 || cfg.CmdsMax > maxSlots {
		return fmt.Errorf("iscsi: cmds_max %d is not within 1 and %d", cfg.CmdsMax, maxSlots)
	}
	return nil
}
