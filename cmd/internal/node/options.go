package node

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"

	"github.com/hawser-storage/hawser/cmd/internal/api"
	"github.com/hawser-storage/hawser/cmd/internal/stack"
	"github.com/hawser-storage/hawser/iscsi"
	"github.com/hawser-storage/hawser/iscsi/login"
	"github.com/hawser-storage/hawser/mpio"
)

// Defaults of what is not the layers' own to say.
const (
	defaultMemory   = 32 << 20          // bytes of a volume
	defaultDeadConn = 300 * time.Second // how long the kernel waits for a daemon that is gone
)

// mostMemory bounds what a request may ask for, in bytes.
const mostMemory = 64 << 30

// seconds is a time that was given as a number; 0 is the default d.
func seconds(s float64, d time.Duration) time.Duration {
	if s == 0 {
		return d
	}
	return time.Duration(s * float64(time.Second))
}

// configOf makes a stack's configuration of a request.
func configOf(r *api.AttachRequest, initiator string, log *slog.Logger) (stack.Config, error) {
	o := &r.Options
	if err := r.Validate(); err != nil {
		return stack.Config{}, err
	}
	if o.Memory > mostMemory {
		return stack.Config{}, &api.Error{Kind: api.Usage, Text: fmt.Sprintf("memory: %d bytes are more than %d", o.Memory, mostMemory)}
	}
	paths, err := stack.ParseURLs(r.URLs)
	if err != nil {
		return stack.Config{}, &api.Error{Kind: api.Usage, Text: err.Error()}
	}
	initiator = cmp.Or(o.Initiator, initiator)
	if err := iscsi.ValidName(initiator); err != nil {
		return stack.Config{}, &api.Error{Kind: api.Usage, Text: "initiator: " + err.Error()}
	}
	cfg := stack.Config{
		Name: r.Name, Paths: paths, Memory: cmp.Or(o.Memory, defaultMemory), Clients: 1, Trust: o.TrustIdentity, Log: log,
		Retry: mpio.DefaultNoPathRetry, Fence: seconds(o.FenceTimeout, mpio.DefaultFenceTimeout),
		Session: iscsi.Config{
			InitiatorName: initiator,
			LoginTimeout:  seconds(o.LoginTimeout, 15*time.Second),
			NOOPInterval:  seconds(o.NOOPInterval, 0),
			NOOPTimeout:   seconds(o.NOOPTimeout, 0),
			SocketBuffer:  o.SocketBuffer,
			CmdsMax:       o.CmdsMax,
			Logger:        log,
			Login: login.InitiatorConfig{
				HeaderDigest: o.HeaderDigest, DataDigest: o.DataDigest,
				InitialR2T: choice(o.InitialR2T), ImmediateData: choice(o.ImmediateData),
			},
		},
	}
	if o.NoPathRetry != nil {
		cfg.Retry = time.Duration(*o.NoPathRetry * float64(time.Second))
	}
	return cfg, nil
}

// choice is yes, no, or the default.
func choice(s string) login.Choice {
	switch s {
	case "yes":
		return login.Yes
	case "no":
		return login.No
	}
	return 0
}
