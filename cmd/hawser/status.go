package main

import (
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hawser-storage/hawser/cmd/internal/api"
)

func newStatus() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "status [NAME | DEVICE]",
		Short: "Show how a volume stands, or all, and the processes that serve them",
		Long: `Show how a volume stands, or all volumes, in the form of multipath -ll: name, identity and device, then size and state, then the
policy and the paths. What needs attention follows in lines that begin with "!". At the end is who serves the volumes.`,
		Args:              perhapsVolume,
		ValidArgsFunction: completeVolumes,
		RunE: func(cmd *cobra.Command, args []string) error {
			servers, err := serversOf(cmd.Context(), perhaps(args))
			if len(servers) == 0 {
				return err
			}
			return errors.Join(printStatus(cmd.OutOrStdout(), servers, asJSON), err)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

// statusOf is a process as --json prints it.
type statusOf struct {
	Process api.Version  `json:"process"`
	Socket  string       `json:"socket"`
	Volumes []api.Volume `json:"volumes"`
}

// printStatus is a paragraph for each volume, and one for each process.
func printStatus(w io.Writer, servers []server, asJSON bool) error {
	all := []statusOf{}
	var b strings.Builder
	for _, s := range servers {
		all = append(all, statusOf{s.Version(), s.Path(), s.volumes})
		for i := range s.volumes {
			describeVolume(&b, &s.volumes[i])
		}
	}
	for _, s := range servers {
		describeProcess(&b, s.Version())
	}
	if asJSON {
		return printJSON(w, all)
	}
	_, err := io.WriteString(w, printable(b.String()))
	return err
}
