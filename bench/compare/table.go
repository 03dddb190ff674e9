package main

import (
	"fmt"
	"io"
	"strings"
)

// write prints the outcomes for a reader. The floors are stated for the pinned plane; the other is
// information.
func (t table) write(w io.Writer) {
	fmt.Fprintf(w, "\n%s; medians of %d rounds of %d s\n\n", t.title(), t.Rounds, t.Seconds)
	const line = "%-18s %-9s %10s %9s %9s %9s %10s %9s\n"
	fmt.Fprintf(w, line, "work", "bridge", "IOPS", "MB/s", "p50 us", "p99 us", "CPU us/IO", "CPU s/GB")
	for _, o := range t.Rows {
		name := o.Row
		for _, bridge := range []string{o.own, o.peer} {
			f := o.Bridges[bridge]
			fmt.Fprintf(w, line, name, bridge, fmt.Sprintf("%.0f", f.IOPS), fmt.Sprintf("%.0f", f.MBps),
				fmt.Sprintf("%.1f", f.P50), fmt.Sprintf("%.1f", f.P99),
				fmt.Sprintf("%.2f", f.CPUPerIO), fmt.Sprintf("%.3f", f.CPUPerGB))
			name = ""
		}
		r := o.Ratios
		fmt.Fprintf(w, line, "", "ratio", times(r.IOPS), times(r.IOPS), times(r.P50), times(r.P99), times(r.CPU), times(r.CPU))
		if t.Pinned {
			fmt.Fprintf(w, "%-18s %-9s %s\n", "", "floors", floorsText(o.Floors))
		}
	}
}

func (t table) title() string {
	if t.Pinned {
		return fmt.Sprintf("Target, bridge and fio pinned to CPU %d", t.CPU)
	}
	return fmt.Sprintf("Not pinned, %d CPUs", t.CPUs)
}

func times(ratio float64) string { return fmt.Sprintf("%.2fx", ratio) }

func floorsText(floors []floor) string {
	var parts []string
	for _, f := range floors {
		limit := ">= " + times(f.AtLeast)
		if f.AtMost != 0 {
			limit = "<= " + times(f.AtMost)
		}
		verdict := "met"
		if !f.Met {
			verdict = "NOT MET"
		}
		parts = append(parts, fmt.Sprintf("%s %s %s", f.What, limit, verdict))
	}
	return strings.Join(parts, ", ")
}
