package main

import (
	"cmp"
	"context"

	"github.com/hawser-storage/hawser/cmd/internal/api"
	"github.com/hawser-storage/hawser/cmd/internal/node"
	"github.com/hawser-storage/hawser/cmd/internal/stack"
)

// tell answers list, status and detach about a volume on a socket, for as long as ctx lasts, and returns what ends that. It is not worth the
// volume: where there is no place for a socket, or its name is taken, the volume is served without.
func (o *attachOptions) tell(ctx context.Context, urls []string, uri string, v *stack.Volume, cfg *stack.Config, detach func()) (end func()) {
	name := cmp.Or(o.daemon.name, api.DefaultName(cfg.Paths[0].Target, cfg.Paths[0].LUN))
	ln, err := api.ListenVolume(name)
	if err != nil {
		cfg.Log.Info("'hawser status' will not show this volume: another --name may help", "reason", err.Error())
		return func() {}
	}
	n := node.New(node.Config{Version: thisVersion().Version, Log: cfg.Log})
	if err := n.Hold(name, uri, urls, v, cfg.Retry, detach); err != nil {
		cfg.Log.Error("'hawser status' will not show this volume", "reason", err.Error())
	}
	ctx, cancel := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- api.Serve(ctx, ln, n) }()
	return func() {
		cancel()
		<-served
		_ = n.Close(context.Background(), true) // it has nothing of its own
	}
}
