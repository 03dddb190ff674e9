package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hawser-storage/hawser/blockdev/nbd"
	"github.com/hawser-storage/hawser/cmd/internal/stack"
	"github.com/hawser-storage/hawser/mpio"
)

// attachOptions are the flags of attach.
type attachOptions struct {
	foreground   bool
	device       string
	socket       string
	listen       string
	memory       sizeFlag
	drainTimeout secondsFlag
	retry        retryFlag
	fence        secondsFlag
	trust        bool
	daemon       daemonOptions
	deadConn     secondsFlag
	session      sessionOptions
	log          logFlags
}

func newAttach() *cobra.Command {
	var o attachOptions
	cmd := &cobra.Command{
		Use:   "attach [--foreground] [--device auto|/dev/nbdN | --socket PATH | --listen HOST:PORT] VOLUME [VOLUME...]",
		Short: "Attach a volume as a kernel device, or serve it on an NBD socket",
		Long: `Attach a volume by every path given. The daemon does it, and makes a kernel device, /dev/nbdN, which stays until 'hawser detach'; or, with
--foreground, this process does, until SIGINT or SIGTERM: then --socket and --listen serve the volume on an NBD socket instead.

VOLUME is a URL; several URLs are paths of one volume, and so are several portals in one:

  iscsi://host[:port][%interface][,host...]/target-iqn/lun

When I/O may begin it prints one line that begins with "ready" and the device or the NBD URI. On a socket, SIGUSR1 prints a table of the
paths on stderr. At the end what is in flight is finished, and a table says what each path carried; if it cannot be finished in time the
exit status is 1 and the extents are named whose outcome is unknown. A second signal ends the process at once.

Times are seconds, or have a unit: 500ms, 2m. Sizes are bytes, or have K, M, G or T, which are binary.`,
		Example: `  hawser attach --name data \
      iscsi://10.0.1.1,10.0.2.1/iqn.2026-11.com.example:storage/0
  hawser attach --foreground --socket /run/vol.sock \
      iscsi://10.0.1.1%eth1,10.0.2.1%eth2/iqn.2026-11.com.example:storage/0`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), args, cmd.OutOrStdout(), &lockedWriter{w: cmd.ErrOrStderr()})
		},
	}
	cmd.Flags().SortFlags = false
	o.register(cmd.Flags())
	return cmd
}

func (o *attachOptions) register(fs *pflag.FlagSet) {
	o.memory, o.drainTimeout = 128<<20, secondsFlag(defaultDrain)
	o.retry, o.fence = retryFlag(mpio.DefaultNoPathRetry), secondsFlag(mpio.DefaultFenceTimeout)
	fs.BoolVar(&o.foreground, "foreground", false, "serve in this process, until it is told to end")
	fs.StringVar(&o.socket, "socket", "", "serve NBD on a unix socket at this `PATH` (mode 0600)")
	fs.StringVar(&o.listen, "listen", "", "serve NBD on TCP at this `HOST:PORT`, on the loopback only")
	fs.StringVar(&o.device, "device", "", "attach to this `DEVICE`, /dev/nbdN; auto, the default: to a free one")
	o.daemon.register(fs)
	fs.Var(&o.memory, "memory", "all memory for data in flight")
	fs.Var(&o.retry, "no-path-retry", "how long requests wait when no path is left")
	fs.Var(&o.fence, "fence-timeout", "how long writes to blocks wait where a write of a lost path may still be carried out, if the path does not come back to prove it dead")
	fs.BoolVar(&o.trust, "trust-identity", false, "the paths lead to one volume, although the storage tells neither a designation nor a serial number")
	o.deadConn = secondsFlag(300 * time.Second)
	fs.Var(&o.deadConn, "dead-conn-timeout", "how long what is written to a kernel device waits for the next process, when this one or the daemon is gone")
	fs.Var(&o.drainTimeout, "drain-timeout", "how long what is in flight may take at the end")
	o.session.register(fs)
	o.log.register(fs, "info")
}

// Bounds of --memory, in bytes. With less than the least there is no room for the clients and two paths.
const (
	leastMemory = 32 << 20
	mostMemory  = 64 << 30
)

// check is what can be said before anything is done.
func (o *attachOptions) check(args []string) error {
	switch {
	case o.socket != "" && o.listen != "", o.device != "" && o.socket+o.listen != "":
		return usagef("attach: --device, --socket and --listen exclude each other")
	case !o.foreground && o.socket+o.listen != "":
		return usagef("attach: --socket and --listen are served by this process: add --foreground")
	case o.memory < leastMemory || o.memory > mostMemory:
		return usagef("--memory %v: want 32M to 64G", &o.memory)
	case len(args) == 0:
		return usagef("attach: no VOLUME: give iscsi://host[:port][,host...]/target-iqn/lun")
	}
	return nil
}

// run attaches: by the daemon, or in this process, as a kernel device or on a socket, until a signal.
func (o *attachOptions) run(ctx context.Context, args []string, stdout io.Writer, stderr *lockedWriter) error {
	if err := o.check(args); err != nil {
		return err
	}
	switch {
	case !o.foreground:
		return o.viaDaemon(ctx, args, stdout, stderr)
	case o.socket+o.listen == "":
		return o.inForeground(ctx, args, stdout, stderr)
	}
	return o.onSocket(ctx, args, stdout, stderr)
}

// onSocket serves the volume on a socket.
func (o *attachOptions) onSocket(ctx context.Context, args []string, stdout io.Writer, stderr *lockedWriter) error {
	h, err := o.log.handler(stderr)
	if err != nil {
		return err
	}
	held := holdLog(h)
	cfg, err := o.volumeConfig(args, slog.New(held))
	if err != nil {
		return err
	}
	sig := watchSignals(ctx, stderr)
	defer sig.close()
	ln, err := o.openListener()
	if err != nil {
		return err
	}
	var lanes stack.Lanes
	v, err := lanes.Open(sig.stop, cfg)
	if err != nil {
		_ = ln.Close()
		if sig.stop.Err() != nil {
			return nil // told to end before it was ready
		}
		return err
	}
	held.release()
	v.WarnOfSharedInterface()
	stop, detached := context.WithCancel(sig.stop)
	defer detached()
	sig.stop = stop
	defer o.tell(stop, args, ln.uri, v, &cfg, detached)()
	fmt.Fprintf(stdout, "ready %s size %d (%s) paths %d/%d\n", ln.uri, v.Info().Size, humanize.IBytes(v.Info().Size), v.PathsUp(), len(cfg.Paths))
	return o.serve(sig, v, ln, cfg.Log, stderr)
}

func (o *attachOptions) volumeConfig(args []string, log *slog.Logger) (stack.Config, error) {
	cfg := stack.Config{
		OwnSessions: true, Memory: int(o.memory), Retry: time.Duration(o.retry), Fence: time.Duration(o.fence), Trust: o.trust, Claims: claimDir(), Log: log,
	}
	initiator, err := initiatorName(o.session.initiator)
	if err != nil {
		return cfg, err
	}
	base, err := o.session.config(initiator, log)
	if err != nil {
		return cfg, err
	}
	cfg.Session = base
	cfg.Paths, err = stack.ParseURLs(args)
	return cfg, err
}

// serve is the time between ready and the end.
func (o *attachOptions) serve(sig *signals, v *stack.Volume, ln *nbdListener, log *slog.Logger, stderr *lockedWriter) error {
	served := make(chan error, 1)
	go func() { served <- v.Server.Serve(ln) }()
	var err error
	for ended := false; !ended; {
		select {
		case <-sig.status:
			printPaths(stderr, v.Status())
		case <-sig.stop.Done():
			ended = true
		case err = <-served: // it could not go on listening
			served <- nbd.ErrClosed
			ended = true
		}
	}
	log.Info("draining", "at_most", time.Duration(o.drainTimeout).String())
	last, closeErr := v.Close(time.Duration(o.drainTimeout))
	<-served
	printPaths(stderr, last)
	return errors.Join(err, closeErr)
}
