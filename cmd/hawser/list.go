package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/hawser-storage/hawser/cmd/internal/api"
)

func newList() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the volumes, those of the daemon and of processes in the foreground",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			servers, err := serversOf(cmd.Context(), "")
			if len(servers) == 0 {
				return err
			}
			return errors.Join(printList(cmd.OutOrStdout(), servers, asJSON), err)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

// printList is a line for each volume.
func printList(w io.Writer, servers []server, asJSON bool) error {
	if asJSON {
		all := []api.Volume{}
		for _, s := range servers {
			all = append(all, s.volumes...)
		}
		return printJSON(w, all)
	}
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tDEVICE\tSIZE\tSTATE\tPATHS\tERRORS\tIDENTITY\tSERVED BY")
	for _, s := range servers {
		for i := range s.volumes {
			v := &s.volumes[i]
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", v.Name, place(v), humanize.IBytes(v.Size), v.State, pathsUp(v),
				v.Errors.Count, orDash(v.Identity), processName(s.Version()))
		}
	}
	_ = t.Flush()
	_, err := io.WriteString(w, printable(b.String()))
	return err
}
