package main

import (
	"log/slog"
	"time"

	"github.com/spf13/pflag"

	"github.com/hawser-storage/hawser/iscsi"
	"github.com/hawser-storage/hawser/iscsi/login"
)

// sessionOptions are the flags of all sessions, with open-iscsi's names.
type sessionOptions struct {
	initiator     string
	loginTimeout  secondsFlag
	noopInterval  secondsFlag
	noopTimeout   secondsFlag
	socketBuffer  bufferFlag
	headerDigest  digestFlag
	dataDigest    digestFlag
	initialR2T    choiceFlag
	immediateData choiceFlag
	cmdsMax       int
}

func (o *sessionOptions) register(fs *pflag.FlagSet) {
	*o = sessionOptions{
		loginTimeout:  secondsFlag(15 * time.Second),
		noopInterval:  secondsFlag(5 * time.Second),
		noopTimeout:   secondsFlag(5 * time.Second),
		socketBuffer:  1 << 20,
		headerDigest:  digestFlag{"None", "CRC32C"},
		dataDigest:    digestFlag{"None", "CRC32C"},
		initialR2T:    choiceFlag(login.No),
		immediateData: choiceFlag(login.Yes),
	}
	fs.StringVar(&o.initiator, "initiator", "", "initiator's `NAME` (default: what 'hawser iqn' prints)")
	fs.Var(&o.loginTimeout, "login-timeout", "how long an attempt to connect and log in may take")
	fs.Var(&o.noopInterval, "noop-out-interval", "silence after which a target is asked whether it is there")
	fs.Var(&o.noopTimeout, "noop-out-timeout", "further silence that ends a connection")
	fs.Var(&o.socketBuffer, "socket-buffer", "TCP buffers of each path, both directions (AIX: sb_max); auto leaves them to the kernel")
	fs.Var(&o.headerDigest, "header-digest", "header digests that are accepted, the preferred one first: None,CRC32C")
	fs.Var(&o.dataDigest, "data-digest", "data digests, likewise")
	fs.Var(&o.initialR2T, "initial-r2t", "wait for the target's word before sending data that it was not told of")
	fs.Var(&o.immediateData, "immediate-data", "send data with a command")
	fs.IntVar(&o.cmdsMax, "cmds-max", 128, "the `NUMBER` of commands in flight on a session, 1 to 1024")
}

// config is what all sessions have in common.
func (o *sessionOptions) config(initiator string, log *slog.Logger) (iscsi.Config, error) {
	if o.cmdsMax < 1 || o.cmdsMax > 1024 {
		return iscsi.Config{}, usagef("--cmds-max %d: want 1 to 1024", o.cmdsMax)
	}
	return iscsi.Config{
		InitiatorName: initiator,
		LoginTimeout:  time.Duration(o.loginTimeout),
		NOOPInterval:  time.Duration(o.noopInterval),
		NOOPTimeout:   time.Duration(o.noopTimeout),
		SocketBuffer:  int(o.socketBuffer),
		CmdsMax:       o.cmdsMax,
		Logger:        log,
		Login: login.InitiatorConfig{
			HeaderDigest:  o.headerDigest,
			DataDigest:    o.dataDigest,
			InitialR2T:    login.Choice(o.initialR2T),
			ImmediateData: login.Choice(o.immediateData),
		},
	}, nil
}
