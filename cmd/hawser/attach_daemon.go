package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/pflag"

	"github.com/hawser-storage/hawser/cmd/internal/api"
	"github.com/hawser-storage/hawser/cmd/internal/stack"
)

// daemonOptions are the flags of attach about what the daemon keeps.
type daemonOptions struct {
	name  string
	once  bool
	given func(flag string) bool // on the command line
}

func (o *daemonOptions) register(fs *pflag.FlagSet) {
	fs.StringVar(&o.name, "name", "", "the volume's `NAME` (default: made of target and LUN)")
	fs.BoolVar(&o.once, "once", false, "do not attach it again when the daemon or the host is restarted")
	o.given = fs.Changed
}

// viaDaemon lets the daemon attach a volume as a kernel device, and waits until it can be used.
func (o *attachOptions) viaDaemon(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	r, err := o.request(args)
	if err != nil {
		return err
	}
	d, err := api.DialDaemon(ctx)
	if err != nil {
		return err
	}
	stop := showAttaching(ctx, d, r.Name, stderr)
	v, err := d.Attach(ctx, r)
	stop()
	if err != nil {
		return adviseAttach(err, d.Version())
	}
	for _, w := range v.Warnings {
		fmt.Fprintf(stderr, "hawser: %s: %s\n", v.Name, oneLine(printable(w)))
	}
	_, err = fmt.Fprintf(stdout, "ready %s name %s\n", summary(&v), v.Name)
	return err
}

// adviseAttach says what to do about a device that is in use, and about a daemon that does not know what is asked.
func adviseAttach(err error, daemon api.Version) error {
	switch note := otherVersion(daemon); {
	case api.KindOf(err) == api.Busy:
		return fmt.Errorf("%w: give another device, or --device auto", err)
	case api.KindOf(err) == api.Usage && note != "":
		err = fmt.Errorf("%w; %s", err, note)
	}
	return fromService(err)
}

// request is what the command line asks the daemon for. Flags that were not given are left to the daemon.
func (o *attachOptions) request(args []string) (api.AttachRequest, error) {
	r := api.AttachRequest{Name: o.daemon.name, URLs: args, Device: cmp.Or(o.device, "auto"), Once: o.daemon.once}
	for _, flag := range []string{"drain-timeout", "log-level", "log-format"} {
		if o.daemon.given(flag) && !o.foreground {
			return r, usagef("attach: --%s is for --foreground", flag)
		}
	}
	if len(args) == 0 {
		return r, usagef("attach: no VOLUME: give iscsi://host[:port][,host...]/target-iqn/lun")
	}
	paths, err := stack.ParseURLs(args)
	if err != nil {
		return r, err
	}
	if r.Options, err = o.options(); err != nil {
		return r, err
	}
	r.Name = cmp.Or(r.Name, api.DefaultName(paths[0].Target, paths[0].LUN))
	if err := r.Validate(); err != nil {
		return r, usagef("attach: %v", err)
	}
	return r, nil
}

// options are the flags that were given.
func (o *attachOptions) options() (opts api.Options, err error) {
	s := &o.session
	if s.initiator != "" {
		if opts.Initiator, err = initiatorName(s.initiator); err != nil {
			return opts, err
		}
	}
	if _, err = s.config(opts.Initiator, nil); err != nil {
		return opts, err
	}
	for flag, set := range map[string]func(){
		"no-path-retry":     func() { opts.NoPathRetry = new(retrySeconds(o.retry)) },
		"fence-timeout":     func() { opts.FenceTimeout = seconds(o.fence) },
		"dead-conn-timeout": func() { opts.DeadConnTimeout = seconds(o.deadConn) },
		"login-timeout":     func() { opts.LoginTimeout = seconds(s.loginTimeout) },
		"noop-out-interval": func() { opts.NOOPInterval = seconds(s.noopInterval) },
		"noop-out-timeout":  func() { opts.NOOPTimeout = seconds(s.noopTimeout) },
		"socket-buffer":     func() { opts.SocketBuffer = int(s.socketBuffer) },
		"header-digest":     func() { opts.HeaderDigest = s.headerDigest },
		"data-digest":       func() { opts.DataDigest = s.dataDigest },
		"initial-r2t":       func() { opts.InitialR2T = s.initialR2T.String() },
		"immediate-data":    func() { opts.ImmediateData = s.immediateData.String() },
		"cmds-max":          func() { opts.CmdsMax = s.cmdsMax },
		"memory":            func() { opts.Memory = int(o.memory) },
		"trust-identity":    func() { opts.TrustIdentity = o.trust },
	} {
		if o.daemon.given(flag) {
			set()
		}
	}
	return opts, nil
}

func seconds(f secondsFlag) float64 { return time.Duration(f).Seconds() }

// retrySeconds is negative for ever.
func retrySeconds(f retryFlag) float64 {
	if f == queueForEver {
		return -1
	}
	return time.Duration(f).Seconds()
}
