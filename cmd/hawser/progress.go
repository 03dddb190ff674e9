package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/hawser-storage/hawser/cmd/internal/api"
)

// showAfter is how long an attach may take before somebody at a terminal is told what it waits for, and how often that is looked at.
const showAfter = time.Second

// showAttaching tells on a terminal how an attach gets on, a line for each change. stop ends it.
func showAttaching(ctx context.Context, s api.Service, name string, stderr io.Writer) (stop func()) {
	if !isTerminal(stderr) {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { tellProgress(ctx, s, name, stderr, showAfter) })
	return func() {
		cancel()
		wg.Wait()
	}
}

func tellProgress(ctx context.Context, s api.Service, name string, w io.Writer, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for last := ""; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		v, err := s.Volume(ctx, name)
		if err != nil || v.State != api.Attaching {
			continue // not yet, or it is answered any moment
		}
		if line := progress(&v); line != last {
			last = line
			fmt.Fprintln(w, line)
		}
	}
}

// progress is what an attach waits for.
func progress(v *api.Volume) string {
	parts := []string{fmt.Sprintf("attaching %s: %s paths are up", v.Name, pathsUp(v))}
	for i := range v.Paths {
		if p := &v.Paths[i]; !isUp(p) {
			parts = append(parts, p.Portal+" "+orDash(p.Reason))
		}
	}
	return printable(strings.Join(parts, "; "))
}
