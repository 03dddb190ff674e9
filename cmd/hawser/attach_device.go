package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"

	"github.com/hawser-storage/hawser/cmd/internal/api"
	"github.com/hawser-storage/hawser/cmd/internal/node"
	"github.com/hawser-storage/hawser/cmd/internal/reclaim"
)

// inForeground holds one volume as a kernel device in this process, until a signal. It answers at a socket of its own, as the daemon does.
func (o *attachOptions) inForeground(ctx context.Context, args []string, stdout io.Writer, stderr *lockedWriter) error {
	r, err := o.request(args)
	if err != nil {
		return err
	}
	h, err := o.log.handler(stderr)
	if err != nil {
		return err
	}
	initiator, err := initiatorName(o.session.initiator)
	if err != nil {
		return err
	}
	held := holdLog(h)
	log := slog.New(held)
	sig := watchSignals(ctx, stderr)
	defer sig.close()
	ln, err := api.ListenVolume(r.Name)
	if err != nil {
		return err
	}
	n := node.New(node.Config{
		Initiator: initiator, Claims: claimDir(), Front: node.Kernel{}, DrainTimeout: time.Duration(o.drainTimeout), OwnSessions: true,
		Version: thisVersion().Version, Memory: reclaim.Verify, Log: log,
	})
	serving, end := context.WithCancel(sig.stop)
	defer end()
	served := make(chan error, 1)
	go func() { served <- api.Serve(serving, ln, n) }()
	v, err := n.Attach(sig.stop, r)
	if err != nil {
		end()
		err = errors.Join(fromService(err), <-served, n.Close(context.Background(), false))
		if sig.stop.Err() != nil {
			return nil // told to end before it was ready
		}
		return err
	}
	held.release()
	logMemory(log)
	fmt.Fprintf(stdout, "ready %s name %s\n", summary(&v), v.Name)
	notify(log, systemd.SdNotifyReady)
	<-n.Empty(sig.stop) // a signal, or a detach by the socket
	notify(log, systemd.SdNotifyStopping)
	end()
	return errors.Join(<-served, o.letGo(n, v.Name, log))
}

// letGo detaches the volume at the end. A device that is in use stays, for the next process: its user must not lose what it has not
// written yet.
func (o *attachOptions) letGo(n *node.Node, name string, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(o.drainTimeout))
	defer cancel()
	err := n.Detach(ctx, name, false)
	if api.KindOf(err) == api.NotFound {
		err = nil
	}
	if err == nil || api.KindOf(err) == api.Lost {
		return errors.Join(err, n.Close(ctx, false))
	}
	log.Error("the device stays, and its I/O waits for the next process", "reason", err.Error())
	return errors.Join(fmt.Errorf("not detached: %w; its I/O waits for the next 'hawser attach --foreground --name %s'", err, name), n.Close(ctx, true))
}
