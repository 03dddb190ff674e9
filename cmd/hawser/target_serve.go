package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hawser-storage/hawser/iscsi"
	"github.com/hawser-storage/hawser/iscsi/login"
	"github.com/hawser-storage/hawser/iscsi/target"
)

// targetOptions are the flags of target serve.
type targetOptions struct {
	listen []string
	luns   []string
	iqn    string
	force  []string
	strict bool
	log    logFlags
}

func newTargetServe() *cobra.Command {
	var o targetOptions
	cmd := &cobra.Command{
		Use:   "serve --lun SPEC...",
		Short: "Serve LUNs over iSCSI until it is told to end",
		Long: `Serve LUNs over iSCSI until SIGINT or SIGTERM. The LUNs are numbered from 0 in the order of their flags:

  null:SIZE    reads as zeroes, forgets what is written
  ram:SIZE     memory, gone with the process
  file:PATH    a file or a block device

Options follow with commas: block=BYTES, wce=on|off, volatile=on|off, thin=on|off, ro=on|off, serial=TEXT, naa=HEX, size=SIZE
(makes the file so long). K, M, G and T are binary. Everybody who reaches a portal may read and write.

Where RFC 7143 lets a target be lenient with an initiator's mistakes it is, because libiscsi, and with it qemu, makes some. With
--strict each costs the connection, and is logged.

When it listens it prints one line that begins with "ready", and names the portals and the LUNs.`,
		Example: `  hawser target serve --listen 127.0.0.1:3260,127.0.0.2:3260 --lun ram:1G
  hawser target serve --lun file:disk.img,size=10G --lun null:1T`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd.Context(), cmd.OutOrStdout(), &lockedWriter{w: cmd.ErrOrStderr()})
		},
	}
	fs := cmd.Flags()
	fs.StringSliceVar(&o.listen, "listen", []string{"127.0.0.1:3260"}, "the portals, each `HOST:PORT`, with commas or repeated")
	fs.StringArrayVar(&o.luns, "lun", nil, "a LUN, by its `SPEC`: null:SIZE, ram:SIZE or file:PATH; repeat for more")
	fs.StringVar(&o.iqn, "iqn", target.DefaultIQN, "the target's `NAME`")
	fs.StringArrayVar(&o.force, "force", nil, "insist on a `KEY=VALUE` of the login: InitialR2T=Yes, MaxBurstLength=16384, ...; repeat for more")
	fs.BoolVar(&o.strict, "strict", false, "drop the connection of an initiator that breaks a rule of the protocol")
	o.log.register(fs, "warn")
	return cmd
}

func (o *targetOptions) config(log *slog.Logger) (target.Config, error) {
	cfg := target.Config{IQN: o.iqn, Force: map[string]string{}, Lenient: !o.strict, Logger: log}
	if err := iscsi.ValidName(o.iqn); err != nil {
		return cfg, usagef("--iqn: %v", err)
	}
	if len(o.luns) == 0 {
		return cfg, usagef("target serve: nothing to serve: give --lun, such as --lun ram:1G")
	}
	for _, spec := range o.luns {
		lun, err := target.ParseLUN(spec)
		if err != nil {
			return cfg, usagef("--lun: %v", err)
		}
		cfg.LUNs = append(cfg.LUNs, lun)
	}
	for _, f := range o.force {
		key, value, ok := strings.Cut(f, "=")
		if !ok || key == "" {
			return cfg, usagef("--force %q: want KEY=VALUE", f)
		}
		cfg.Force[key] = value
	}
	return cfg, checkForced(cfg.Force)
}

// checkForced refuses what could not be forced, before the first login fails by it.
func checkForced(keys map[string]string) error {
	negotiated := maps.Clone(keys)
	delete(negotiated, "MaxRecvDataSegmentLength") // it is declared
	if err := (&login.TargetConfig{Keys: negotiated}).Validate(); err != nil {
		return usagef("--force: %v", err)
	}
	return nil
}

// run serves until a signal.
func (o *targetOptions) run(ctx context.Context, stdout io.Writer, stderr *lockedWriter) error {
	h, err := o.log.handler(stderr)
	if err != nil {
		return err
	}
	log := slog.New(h)
	cfg, err := o.config(log)
	if err != nil {
		return err
	}
	sig := watchSignals(ctx, stderr)
	defer sig.close()
	t, err := startTarget(cfg, o.listen)
	if err != nil {
		return err
	}
	for _, p := range t.portals {
		if !isLoopback(p) {
			log.Warn("the portal is reachable from beyond this host, and anybody may log in", "portal", p.String())
		}
	}
	fmt.Fprintf(stdout, "ready %s portals %s luns %s\n", cfg.IQN, t.portalList(), o.lunList())
	select {
	case <-sig.stop.Done():
	case err = <-t.failed:
	}
	return errors.Join(err, t.close())
}

func (o *targetOptions) lunList() string {
	var s []string
	for i, l := range o.luns {
		s = append(s, strconv.Itoa(i)+"="+l)
	}
	return strings.Join(s, " ")
}
