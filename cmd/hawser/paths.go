package main

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/hawser-storage/hawser/cmd/internal/api"
)

func newPaths() *cobra.Command {
	return showingVolumes(&cobra.Command{
		Use:   "paths [NAME | DEVICE]",
		Short: "Show the paths of a volume, or of all, and what each carried",
		Long: `Show the paths of a volume, or of all volumes, as lsmpio does: PATH_ID counts a volume's paths, PARENT is the interface that a path
is bound to, CONNECTION is portal, target and LUN. REQUESTS and what was read and written count from the time it was attached.`,
		Example: `  hawser paths
  watch hawser paths data`,
		Args:              perhapsVolume,
		ValidArgsFunction: completeVolumes,
	}, seePaths)
}

// pathOf is a path as --json prints it.
type pathOf struct {
	Volume string `json:"volume"`
	Device string `json:"device,omitempty"`
	ID     int    `json:"path_id"`
	api.Path
}

// seePaths is a line for each path.
func seePaths(servers []server, text io.Writer) any {
	all := []pathOf{}
	t := tabwriter.NewWriter(text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tPATH_ID\tSTATUS\tPARENT\tCONNECTION\tREQUESTS\tSHARE\tIN FLIGHT\tREAD\tWRITTEN\tERRORS\tFAILOVERS\tSINCE\tREASON")
	for _, s := range servers {
		for _, v := range s.volumes {
			for i, p := range v.Paths {
				all = append(all, pathOf{v.Name, v.Device, i, p})
				fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%d\t%s\t%d\t%s\t%s\t%d\t%d\t%s\t%s\n", v.Name, i, p.State, cmp.Or(p.Interface, "-"), connection(&p),
					requests(&p), share(requests(&p), requestsOf(&v)), p.InFlight, humanize.IBytes(p.ReadBytes), humanize.IBytes(p.WrittenBytes),
					p.Errors, p.Failovers, dateTime(p.Since), orDash(p.Reason))
			}
		}
	}
	_ = t.Flush()
	return all
}

// connection is the far end of a path.
func connection(p *api.Path) string { return fmt.Sprintf("%s,%s,%d", p.Portal, p.Target, p.LUN) }

func requests(p *api.Path) uint64 { return p.Reads + p.Writes }

func requestsOf(v *api.Volume) (n uint64) {
	for i := range v.Paths {
		n += requests(&v.Paths[i])
	}
	return n
}
