package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/hawser-storage/hawser/cmd/internal/api"
)

// describeVolume is a volume, its paths as a tree, and what needs attention.
func describeVolume(w io.Writer, v *api.Volume) {
	fmt.Fprintf(w, "%s (%s) %s%s\n", v.Name, cmp.Or(v.Identity, "no identity"), place(v), product(v))
	fmt.Fprintf(w, "size=%s block=%d wp=%s write_cache=%s%s state='%s' since='%s'\n", humanize.IBytes(v.Size), v.BlockSize,
		either(v.ReadOnly, "ro", "rw"), either(v.Cache, "on", "off"), retry(v), v.State, dateTime(v.Since))
	fmt.Fprintf(w, "`-+- policy='%s' paths=%s waiting=%d held=%d\n", v.Policy, pathsUp(v), v.Waiting, v.Held)
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	for i := range v.Paths {
		p := &v.Paths[i]
		fmt.Fprintf(t, "  %s- %d\t%s\t%s\t%s\tsince %s\tin flight %d%s\n", either(i == len(v.Paths)-1, "`", "|"), i,
			connection(p), cmp.Or(p.Interface, "-"), p.State, dateTime(p.Since), p.InFlight, after(": ", oneLine(p.Reason)))
	}
	_ = t.Flush()
	for _, line := range attention(v) {
		fmt.Fprintf(w, "! %s\n", oneLine(line))
	}
}

func product(v *api.Volume) string {
	if v.Vendor == "" && v.Product == "" {
		return ""
	}
	return after(" ", strings.TrimSpace(v.Vendor)+","+strings.TrimSpace(v.Product)) + after(" serial ", strings.TrimSpace(v.Serial))
}

// retry is how long requests wait when no path is left.
func retry(v *api.Volume) string {
	if v.NoPathRetry == nil {
		return ""
	}
	f := retryFlag(queueForEver)
	if *v.NoPathRetry >= 0 {
		f = retryFlag(*v.NoPathRetry * float64(time.Second))
	}
	return " no_path_retry=" + f.String()
}

// attention is what is wrong with a volume, and what to do.
func attention(v *api.Volume) (lines []string) {
	if v.Reason != "" {
		lines = append(lines, fmt.Sprintf("%s: %s", v.State, v.Reason))
	}
	if v.Waiting > 0 {
		lines = append(lines, "waiting for a path: "+count(uint64(v.Waiting), "request"))
	}
	if v.Held > 0 {
		lines = append(lines, "waiting until no write of a lost path can be carried out any more: "+count(uint64(v.Held), "request"))
	}
	if e := &v.Errors; e.Count > 0 {
		lines = append(lines, fmt.Sprintf("%s failed at the device from %s to %s, the last: %s: unmount its file systems and run fsck before they are used again; a detach clears this",
			count(e.Count, "request"), dateTime(e.First), dateTime(e.Last), orDash(e.Text)))
	}
	for i := range v.Paths {
		lines = append(lines, clamped(&v.Paths[i])...)
	}
	return append(lines, v.Warnings...)
}

// clamped warns of socket buffers that are smaller than asked. The kernel tells twice what it grants.
func clamped(p *api.Path) []string {
	got := min(p.ReceiveBytes, p.SendBytes) / 2
	if p.BufferAsked <= 0 || got == 0 || got >= p.BufferAsked {
		return nil
	}
	return []string{fmt.Sprintf("path %s: socket buffers: asked for %s, got %s to receive and %s to send: raise net.core.rmem_max and wmem_max, or give CAP_NET_ADMIN",
		p.Portal, humanize.IBytes(uint64(p.BufferAsked)), humanize.IBytes(uint64(p.ReceiveBytes/2)), humanize.IBytes(uint64(p.SendBytes/2)))}
}

func either(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

// after is s behind a word, or nothing.
func after(word, s string) string {
	if s == "" {
		return ""
	}
	return word + s
}
