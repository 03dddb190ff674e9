package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/dustin/go-humanize"

	"github.com/hawser-storage/hawser/cmd/internal/api"
	"github.com/hawser-storage/hawser/mpio"
)

// What several tables say in the same words.

// summary is a volume in the words that follow "ready".
func summary(v *api.Volume) string {
	return fmt.Sprintf("%s size %d (%s) paths %s", place(v), v.Size, humanize.IBytes(v.Size), pathsUp(v))
}

// place is where a volume can be used.
func place(v *api.Volume) string { return cmp.Or(v.Device, v.URI, "-") }

// pathsUp is how many paths can be used, of how many.
func pathsUp(v *api.Volume) string {
	n := 0
	for i := range v.Paths {
		if isUp(&v.Paths[i]) {
			n++
		}
	}
	return fmt.Sprintf("%d/%d", n, len(v.Paths))
}

func isUp(p *api.Path) bool { return p.State == mpio.StateUp.String() }

func orDash(s string) string { return cmp.Or(oneLine(s), "-") }

// stamp is a time in the host's zone.
func dateTime(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format(time.DateTime)
}

// count is a number of things.
func count(n uint64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// printable replaces what a terminal would take for commands: a storage chooses some of the words itself.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}

// printJSON is what --json prints.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
