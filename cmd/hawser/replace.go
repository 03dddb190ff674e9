package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/hawser-storage/hawser/cmd/internal/api"
)

// defaultDrain is the default of --drain-timeout.
const defaultDrain = 30 * time.Second

// endWithin is how long a daemon with that --drain-timeout may take to end: it also ends what it is at, and logs out.
func endWithin(drain time.Duration) time.Duration { return drain + 30*time.Second }

// A runningError says that there is a daemon already.
type runningError struct{ error }

// takeSocket takes the daemon's socket; with --replace from the one that has it.
func (o *serverOptions) takeSocket(ctx context.Context, log *slog.Logger) (net.Listener, error) {
	ln, err := listenDaemon()
	if err == nil || !o.replace {
		return ln, err
	}
	old, err := api.DialDaemon(ctx)
	switch {
	case api.KindOf(err) == api.NotRunning: // it ended meanwhile
	case err != nil:
		return nil, fmt.Errorf("cannot replace the daemon that is running: %w", err)
	default:
		if err := replace(ctx, old.Version(), log); err != nil {
			return nil, fmt.Errorf("cannot replace the daemon that is running, process %d: %w", old.Version().PID, err)
		}
	}
	return listenDaemon()
}

func listenDaemon() (net.Listener, error) {
	ln, err := api.ListenDaemon()
	if api.KindOf(err) == api.Exists {
		err = runningError{err}
	}
	return ln, err
}

// replace ends the daemon that is running.
func replace(ctx context.Context, old api.Version, log *slog.Logger) error {
	if isService(old.PID) {
		return fmt.Errorf("it is systemd's, which would start it again: use 'systemctl restart %s'", strings.TrimSuffix(service, ".service"))
	}
	drain := defaultDrain
	if old.DrainTimeout > 0 {
		drain = time.Duration(old.DrainTimeout * float64(time.Second))
	}
	within := endWithin(drain)
	defer tellIfSlow(log, "waiting for the daemon that is running to end", "process", old.PID, "at_most", within.String())()
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("it has not ended within %v of SIGTERM: see its log. "+
		"I/O waits for the next daemon, so start 'hawser daemon' when it has ended; 'kill -KILL %d' ends it at once", within, old.PID))
	defer cancel()
	return endProcess(ctx, old.PID)
}

// service is the daemon as a unit of systemd.
const service = "hawser.service"

// isService says whether a process is that unit's.
func isService(pid int) bool {
	groups, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid)) // of a process that is gone it does not matter
	return inService(string(groups))
}

// inService reads /proc/PID/cgroup: a line for each hierarchy, which ends with the path in it.
func inService(groups string) bool {
	for line := range strings.Lines(groups) {
		if strings.HasSuffix(strings.TrimSuffix(line, "\n"), "/"+service) {
			return true
		}
	}
	return false
}

// tellIfSlow says in the log what is waited for if it takes longer than a moment. stop is for when it is over.
func tellIfSlow(log *slog.Logger, what string, args ...any) (stop func()) {
	t := time.AfterFunc(showAfter, func() { log.Info(what, args...) })
	return func() { t.Stop() }
}
