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
	if note := otherVersion(v); note != "" {
		fmt.Fprintf(w, "! %s\n", note)
	}
}

// otherVersion says that a process is of another version than this command, or nothing.
func otherVersion(v api.Version) string {
	own := thisVersion().Version
	if own == v.Version {
		return ""
	}
	return fmt.Sprintf("%s is hawser %s, this command is hawser %s: restart it", processName(v), v.Version, own)
}

func yesOrWhy(is bool, why string) string { return either(is, "yes", "no") + inParens(why) }

func inParens(s string) string {
	if s == "" {
		return ""
	}
	return " (" + oneLine(s) + ")"
}
