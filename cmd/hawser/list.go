package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/hawser-storage/hawser/cmd/internal/api"
)

func newList() *cobra.Command {
	return showingVolumes(&cobra.Command{
		Use:   "list",
		Short: "List the volumes, those of the daemon and of processes in the foreground",
		Long: `List the volumes, a line for each: where it can be used, its size and state, how many of its paths are up, the errors that reached
who uses it, its identity at the storage, and the process that serves it.`,
		Example: "  hawser list\n  hawser list --json | jq -r '.[].device'",
		Args:    cobra.NoArgs,
	}, seeList)
}

// seeList is a line for each volume.
func seeList(servers []server, text io.Writer) any {
	all := []api.Volume{}
	t := tabwriter.NewWriter(text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tDEVICE\tSIZE\tSTATE\tPATHS\tERRORS\tIDENTITY\tSERVED BY")
	for _, s := range servers {
		all = append(all, s.volumes...)
		for i := range s.volumes {
			v := &s.volumes[i]
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", v.Name, place(v), humanize.IBytes(v.Size), v.State, pathsUp(v),
				v.Errors.Count, orDash(v.Identity), processName(s.Version()))
		}
	}
	_ = t.Flush()
	return all
}
