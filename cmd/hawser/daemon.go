package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"syscall"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hawser-storage/hawser/cmd/internal/api"
	"github.com/hawser-storage/hawser/cmd/internal/node"
	"github.com/hawser-storage/hawser/cmd/internal/reclaim"
)

// serverOptions are the flags of the daemon.
type serverOptions struct {
	initiator    string
	state        string
	replace      bool
	drainTimeout secondsFlag
	log          logFlags
}

func newDaemon() *cobra.Command {
	var o serverOptions
	cmd := &cobra.Command{
		Use:   "daemon",
		Short: "Hold volumes as kernel devices, for attach, detach, list and status",
		Long: `Hold volumes as kernel devices, /dev/nbdN. Volumes are attached and detached by the other commands, over a unix socket in /run/hawser.

A volume that is attached stays so over a restart of the daemon, and of the host, until it is detached. When the daemon ends, on SIGTERM
or by an accident, the devices stay: what is written to them waits for the next daemon, for --dead-conn-timeout of the volume. So a
daemon may be replaced under mounted file systems: by 'systemctl restart hawser', or with --replace.

When it can be asked it prints one line that begins with "ready", and tells systemd.`,
		Example: "  systemctl enable --now hawser\n  hawser daemon --replace         # without systemd",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd.Context(), cmd.OutOrStdout(), &lockedWriter{w: cmd.ErrOrStderr()})
		},
	}
	cmd.Flags().SortFlags = false
	o.register(cmd.Flags())
	return cmd
}

func (o *serverOptions) register(fs *pflag.FlagSet) {
	o.drainTimeout = secondsFlag(30 * time.Second)
	fs.BoolVar(&o.replace, "replace", false, "end the daemon that is running, and take its volumes over")
	fs.StringVar(&o.initiator, "initiator", "", "initiator's `NAME` (default: what 'hawser iqn' prints)")
	fs.StringVar(&o.state, "state", "", "the `FILE` in which the daemon keeps what it must know after a restart (default: state.db in "+systemState+")")
	fs.Var(&o.drainTimeout, "drain-timeout", "how long what is in flight may take at the end")
	o.log.register(fs, "info")
}

// run is the daemon, from the first line to the last.
func (o *serverOptions) run(ctx context.Context, stdout io.Writer, stderr *lockedWriter) error {
	h, err := o.log.handler(stderr)
	if err != nil {
		return err
	}
	log := slog.New(h)
	initiator, err := initiatorName(o.initiator)
	if err != nil {
		return err
	}
	sig := watchSignals(ctx, stderr)
	defer sig.close()
	ln, err := o.takeSocket(sig.stop)
	if err != nil {
		return err
	}
	store, err := node.OpenStore(cmp.Or(o.state, stateFile()))
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	n := node.New(node.Config{
		Initiator: initiator, Store: store, Claims: claimDir(), Front: node.Kernel{}, DrainTimeout: time.Duration(o.drainTimeout),
		Version: thisVersion().Version, Daemon: true, Memory: reclaim.Verify, Log: log,
	})
	logMemory(log)
	served := make(chan error, 1)
	serving, end := context.WithCancel(sig.stop)
	defer end()
	go func() { served <- api.Serve(serving, ln, n) }()
	o.restore(sig.stop, n, log)
	fmt.Fprintf(stdout, "ready %s\n", ln.Addr())
	notify(log, systemd.SdNotifyReady)
	select {
	case <-sig.stop.Done():
	case err = <-served: // it cannot go on listening
		served <- nil
	}
	notify(log, systemd.SdNotifyStopping)
	end()
	<-served
	return errors.Join(err, n.Close(context.Background(), true), store.Close())
}

// restoreWithin bounds the start. A volume whose storage takes longer comes when it comes.
const restoreWithin = 30 * time.Second

func (o *serverOptions) restore(ctx context.Context, n *node.Node, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, restoreWithin)
	defer cancel()
	if err := n.Restore(ctx); err != nil {
		log.Error("not every volume is taken up again", "reason", err.Error())
	}
}

// replaceWithin is how long the daemon that is running may take to end: its drain timeout, and a moment.
const replaceWithin = time.Minute

// takeSocket takes the daemon's socket; with --replace from the one that has it.
func (o *serverOptions) takeSocket(ctx context.Context) (net.Listener, error) {
	ln, err := api.ListenDaemon()
	if err == nil || !o.replace {
		return ln, err
	}
	old, dialErr := api.DialDaemon(ctx)
	if dialErr != nil {
		return nil, errors.Join(err, dialErr)
	}
	pid := old.Version().PID
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return nil, fmt.Errorf("cannot end the daemon that is running, process %d: %w", pid, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, replaceWithin, fmt.Errorf("process %d does not end", pid))
	defer cancel()
	for {
		if syscall.Kill(pid, 0) != nil {
			if ln, err = api.ListenDaemon(); err == nil {
				return ln, nil
			}
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("cannot replace the daemon that is running: %w", context.Cause(ctx))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// logMemory says what this process lacks to be sure under memory pressure.
func logMemory(log *slog.Logger) {
	m := reclaim.Verify()
	for what, why := range map[string]string{"I/O flusher": m.IOFlusherReason, "locked memory": m.LockedReason, "OOM score": m.OOMScoreReason} {
		if why != "" {
			log.Warn("under memory pressure the host may stand still", "lacks", what, "reason", why)
		}
	}
}

// notify tells systemd, where that is who started us.
func notify(log *slog.Logger, state string) {
	if _, err := systemd.SdNotify(false, state); err != nil {
		log.Warn("systemd was not told", "state", state, "reason", err.Error())
	}
}
