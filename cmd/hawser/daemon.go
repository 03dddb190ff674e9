package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
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
daemon may be replaced under mounted file systems: by 'systemctl restart hawser', or with --replace where systemd did not start it.

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
	o.drainTimeout = secondsFlag(defaultDrain)
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
	ln, err := o.takeSocket(sig.stop, log)
	if err != nil {
		return err
	}
	store, err := o.openStore(sig.stop, log)
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

// openStore opens the store. A daemon that is ending has given up its socket, and keeps the store until the end.
func (o *serverOptions) openStore(ctx context.Context, log *slog.Logger) (*node.Store, error) {
	within := endWithin(time.Duration(o.drainTimeout))
	defer tellIfSlow(log, "waiting for the store, which another process has", "store", o.state, "at_most", within.String())()
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("not given up within %v: end the daemon that has it, and try again", within))
	defer cancel()
	return node.OpenStore(ctx, cmp.Or(o.state, stateFile()))
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
