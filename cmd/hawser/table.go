package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/dustin/go-humanize"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/mpio"
)

// printPaths says what each path is and what it carried.
func printPaths(w io.Writer, s mpio.Status) {
	var b strings.Builder
	fmt.Fprintf(&b, "volume %s, policy %s, %d requests in flight, %d waiting for a path, %d for the fate of lost writes\n",
		s.Volume, s.Policy, s.Requests, s.Waiting, s.Held)
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "  PATH\tSTATE\tREQUESTS\tSHARE\tREAD\tWRITTEN\tERRORS\tRETRIES\tFAILOVERS\tREASON")
	var all uint64
	for _, p := range s.Paths {
		all += p.Stats.Total().Requests
	}
	for _, p := range s.Paths {
		n := p.Stats.Total()
		fmt.Fprintf(t, "  %s\t%v\t%d\t%s\t%s\t%s\t%d\t%d\t%d\t%s\n", p.Path, p.State, n.Requests, share(n.Requests, all),
			humanize.IBytes(p.Stats.Ops[blockdev.Read].Bytes), humanize.IBytes(p.Stats.Ops[blockdev.Write].Bytes),
			n.Errors, p.Stats.Retries, p.Stats.Failovers, reasonOf(p))
	}
	_ = t.Flush()
	_, _ = io.WriteString(w, b.String())
}

func share(n, all uint64) string {
	if all == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(all))
}

func reasonOf(p mpio.PathStatus) string {
	if p.Reason == nil {
		return "-"
	}
	return oneLine(p.Reason.Error())
}
