package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/hawser-storage/hawser/cmd/internal/nbdclient"
	"github.com/hawser-storage/hawser/cmd/internal/stack"
	"github.com/hawser-storage/hawser/iscsi"
	"github.com/hawser-storage/hawser/iscsi/target"
)

// demoOptions are the flags of demo.
type demoOptions struct {
	seconds int
	size    sizeFlag
	log     logFlags
}

func newDemo() *cobra.Command {
	o := demoOptions{size: 256 << 20}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work: I/O over two paths, one of which is cut and comes back",
		Long: `See it work, in one process and on the loopback alone: a target with two portals, a volume over both, an NBD socket, and a
client that writes and reads all over it at random. Half-way one portal is cut with resets, later it comes back. At the end every
block is read back and compared. Nothing is left behind.`,
		Example: "  hawser demo\n  hawser demo --seconds 60 --size 1G",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd.Context(), cmd.OutOrStdout(), &lockedWriter{w: cmd.ErrOrStderr()})
		},
	}
	cmd.Flags().IntVar(&o.seconds, "seconds", 10, "how many `SECONDS` the I/O runs, 2 to 3600")
	cmd.Flags().Var(&o.size, "size", "the volume's size, 16M to 16G, in memory")
	o.log.register(cmd.Flags(), "error")
	return cmd
}

func (o *demoOptions) check() error {
	switch {
	case o.seconds < 2 || o.seconds > 3600:
		return usagef("--seconds %d: want 2 to 3600", o.seconds)
	case o.size < 16<<20 || o.size > 16<<30 || o.size%demoBlock != 0:
		return usagef("--size %v: want 16M to 16G, a multiple of 4K", &o.size)
	}
	return nil
}

// demo is the whole chain: the client's end is an NBD socket, the far end a target of our own.
type demo struct {
	demoOptions
	target *localTarget
	lanes  stack.Lanes
	volume *stack.Volume
	ln     *nbdListener
	served chan error
	client *nbdclient.Client
	screen screen
}

// run is the demonstration from beginning to end.
func (o *demoOptions) run(ctx context.Context, stdout io.Writer, stderr *lockedWriter) error {
	if err := o.check(); err != nil {
		return err
	}
	h, err := o.log.handler(stderr)
	if err != nil {
		return err
	}
	sig := watchSignals(ctx, stderr)
	defer sig.close()
	d := &demo{demoOptions: *o, screen: newScreen(stdout)}
	err = d.build(sig.stop, slog.New(h))
	if err == nil {
		err = d.play(sig.stop)
	}
	return errors.Join(err, d.tearDown())
}

func (d *demo) build(ctx context.Context, log *slog.Logger) (err error) {
	cfg := target.Config{LUNs: []target.LUN{{Kind: target.KindRAM, Size: uint64(d.size), BlockSize: 512}}, Logger: log}
	if d.target, err = startTarget(cfg, []string{"127.0.0.1:0", "127.0.0.2:0"}); err != nil {
		return err
	}
	vc := stack.Config{OwnSessions: true, Memory: 64 << 20, Retry: 30 * time.Second, Log: log, Session: iscsi.Config{
		InitiatorName: "iqn.2026-11.io.hawser:demo", LoginTimeout: 5 * time.Second, RetryMax: time.Second, Logger: log,
	}}
	for _, p := range d.target.portals {
		portal, err := iscsi.ParsePortal(p.String())
		if err != nil {
			return err
		}
		vc.Paths = append(vc.Paths, stack.PathConfig{Portal: portal, Target: d.target.IQN()})
	}
	if d.volume, err = d.lanes.Open(ctx, vc); err != nil {
		return err
	}
	return d.serve()
}

// serve puts the volume on a socket and connects the client to it.
func (d *demo) serve() error {
	dir, err := os.MkdirTemp("", "hawser-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) // who is connected stays so
	socket := filepath.Join(dir, "nbd")
	if d.ln, err = listenUnix(socket); err != nil {
		return err
	}
	d.served = make(chan error, 1)
	go func() { d.served <- d.volume.Server.Serve(d.ln) }()
	if d.client, err = nbdclient.Dial("unix", socket, ""); err != nil {
		return err
	}
	d.screen.say("target    %s, %s in memory, portals %s", d.target.IQN(), humanize.IBytes(uint64(d.size)), d.target.portalList())
	d.screen.say("volume    %d paths, served on %s", len(d.volume.Paths), d.ln.uri)
	d.screen.say("load      random reads and writes of 4 KiB to 256 KiB, %d in flight, every block stamped and checked", demoDepth)
	d.screen.say("")
	return nil
}

// play runs the load with the cut in the middle, and verifies.
func (d *demo) play(ctx context.Context) error {
	l := newLoad(d.client, uint64(d.size))
	if err := d.runLoad(ctx, l); err != nil {
		return err
	}
	d.screen.say("")
	n, err := l.verify(ctx)
	if err != nil {
		return err
	}
	d.screen.summary(d.volume)
	bad := l.mismatches.Load()
	d.screen.verdict(n, bad)
	if bad > 0 {
		return fmt.Errorf("demo: %d blocks do not have what was written last: the first is at byte %d", bad, l.firstBad.Load())
	}
	return nil
}

// runLoad shows what happens each second. The script: half of the time both paths, a quarter without the second, and a quarter
// with it back.
func (d *demo) runLoad(ctx context.Context, l *load) error {
	total := time.Duration(d.seconds) * time.Second
	ctx, cancel := context.WithTimeout(ctx, total)
	defer cancel()
	cut, back := time.NewTimer(total/2), time.NewTimer(total*3/4)
	defer cut.Stop()
	defer back.Stop()
	second := time.NewTicker(time.Second)
	defer second.Stop()
	ran := make(chan error, 1)
	go func() { ran <- l.run(ctx) }()
	victim := d.target.portals[1].String()
	d.screen.begin(d.volume, l)
	for {
		select {
		case <-second.C:
			d.screen.progress()
		case <-cut.C:
			d.screen.event("path 2 is cut: the target resets every connection to %s", victim)
			d.target.Faults().Down(victim, true)
		case <-back.C:
			d.screen.event("path 2 may come back")
			d.target.Faults().Up(victim)
		case err := <-ran:
			return err
		}
	}
}

// tearDown ends everything, from the client to the target.
func (d *demo) tearDown() error {
	var errs []error
	if d.client != nil {
		errs = append(errs, d.client.Close())
	}
	if d.volume != nil {
		_, err := d.volume.Close(closeTargetWithin)
		errs = append(errs, err)
	}
	if d.served != nil {
		<-d.served
	}
	if d.target != nil {
		errs = append(errs, d.target.close())
	}
	return errors.Join(errs...)
}
