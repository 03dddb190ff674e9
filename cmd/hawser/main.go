// Hawser attaches a volume of an iSCSI storage, by every path that leads to it, as one NBD device, in userspace.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hawser-storage/hawser/blockdev/nbd/kernel"
	"github.com/hawser-storage/hawser/cmd/internal/reclaim"
	"github.com/hawser-storage/hawser/cmd/internal/stack"
)

// The exit statuses.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitRunning = 3 // a daemon runs already; hawser.service knows it
)

func main() {
	kernel.Prepare()
	if servesDevice(os.Args[1:]) {
		reclaim.Prepare()
	}
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// servesDevice says whether the command line is that of a process which the host's memory may have to be written back through. It is asked
// before anything is parsed, because the process may have to begin anew.
func servesDevice(args []string) bool {
	if len(args) == 0 {
		return false
	}
	return args[0] == "daemon" || args[0] == "attach" && slices.Contains(args, "--foreground") && !slices.ContainsFunc(args, func(a string) bool {
		return strings.HasPrefix(a, "--socket") && !strings.HasPrefix(a, "--socket-buffer") || strings.HasPrefix(a, "--listen")
	})
}

// run is the whole program. It returns the exit status; an error is one line on stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	started := false
	root.PersistentPreRun = func(*cobra.Command, []string) { started = true }
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitDone
	}
	var usage *stack.UsageError
	if started && !errors.As(err, &usage) {
		fmt.Fprintf(stderr, "hawser: %s\n", oneLine(err.Error()))
		if errors.As(err, new(runningError)) {
			return exitRunning
		}
		return exitFailed
	}
	fmt.Fprintf(stderr, "hawser: %s (see '%s --help')\n", oneLine(err.Error()), cmd.CommandPath())
	return exitUsage
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "hawser",
		Short: "An iSCSI volume, by every path that leads to it, as one block device",
		Long: `hawser logs in to an iSCSI storage by every path, makes one volume of them, and gives the host one block device for it: /dev/nbdN, or
an NBD socket for qemu, fio and their like. It is one process in userspace: no kernel initiator, no iscsid, no multipathd.

The daemon, which systemd runs as hawser.service, holds volumes as kernel devices; attach, detach and the others speak to it. What is
attached stays so over restarts of the daemon and of the host. 'hawser attach --foreground' needs no daemon, and lasts as long as it runs.`,
		Example: `  hawser iqn                      # the storage has to allow this name
  systemctl enable --now hawser
  hawser attach --name data \
      iscsi://10.0.1.1,10.0.2.1/iqn.2026-11.com.example:storage/0
  mount /dev/hawser/data /srv
  hawser status
  umount /srv && hawser detach data`,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newAttach(), newDetach(), newList(), newStatus(), newPaths(), newRescan(), newDaemon())
	root.AddCommand(newTarget(), newIQN(), newDemo(), newVersion(), newCompletion(), newMan())
	return root
}

// usagef is a command that makes no sense as it was written.
func usagef(format string, args ...any) error {
	return &stack.UsageError{Text: fmt.Sprintf(format, args...)}
}

// oneLine keeps an error to its line, whatever a peer or the system put into it. Joined errors come with a line each.
func oneLine(s string) string {
	var parts []string
	for line := range strings.Lines(s) {
		if words := strings.Fields(line); len(words) > 0 {
			parts = append(parts, printable(strings.Join(words, " ")))
		}
	}
	return strings.Join(parts, "; ")
}
