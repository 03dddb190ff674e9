package main

import (
	"fmt"
	"io"

	"github.com/hawser-storage/hawser/cmd/internal/api"
)

// describeProcess is who serves volumes, and whether writing back memory can wait for memory.
func describeProcess(w io.Writer, v api.Version) {
	name := processName(v)
	if v.Daemon {
		name = fmt.Sprintf("daemon (process %d)", v.PID)
	}
	fmt.Fprintf(w, "%s: hawser %s, since %s\n", name, v.Version, dateTime(v.Since))
	m := &v.Memory
	fmt.Fprintf(w, "  memory pressure: I/O flusher %s, memory locked %s, OOM score %d%s\n",
		yesOrWhy(m.IOFlusher, m.IOFlusherReason), yesOrWhy(m.Locked, m.LockedReason), m.OOMScore, inParens(m.OOMScoreReason))
	if own := thisVersion().Version; own != v.Version {
		fmt.Fprintf(w, "! it is not the version of this command, hawser %s: restart it\n", own)
	}
}

func yesOrWhy(is bool, why string) string { return either(is, "yes", "no") + inParens(why) }

func inParens(s string) string {
	if s == "" {
		return ""
	}
	return " (" + oneLine(s) + ")"
}
