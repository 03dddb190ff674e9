package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/cmd/internal/stack"
	"github.com/hawser-storage/hawser/mpio"
)

// screen is where the demonstration is shown: with colours on a terminal, plain elsewhere.
type screen struct {
	w      io.Writer
	colour bool

	volume  *stack.Volume
	load    *load
	started time.Time
	seen    time.Time
	bytes   uint64
	count   uint64
	paths   []uint64 // requests of each path
}

func newScreen(w io.Writer) screen {
	return screen{w: w, colour: isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

// The colours, by their SGR parameter.
const (
	bold   = "1"
	red    = "31"
	green  = "32"
	yellow = "33"
	faint  = "2"
)

func (s *screen) paint(colour, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

func (s *screen) say(format string, args ...any) { fmt.Fprintf(s.w, format+"\n", args...) }

func (s *screen) event(format string, args ...any) {
	s.say("%s", s.paint(yellow, fmt.Sprintf("%5.1fs  ", time.Since(s.started).Seconds())+fmt.Sprintf(format, args...)))
}

func (s *screen) begin(v *stack.Volume, l *load) {
	s.volume, s.load = v, l
	s.started = time.Now()
	s.seen = s.started
	s.paths = make([]uint64, len(v.Paths))
}

// progress is the line of a second: what the client got, and who carried it.
func (s *screen) progress() {
	now := time.Now()
	took := now.Sub(s.seen).Seconds()
	bytes, count := s.load.bytes.Load(), s.load.requests.Load()
	line := fmt.Sprintf("%5.1fs  %10s/s %9s IO/s ", now.Sub(s.started).Seconds(),
		humanize.IBytes(uint64(float64(bytes-s.bytes)/took)), humanize.Comma(int64(float64(count-s.count)/took)))
	s.seen, s.bytes, s.count = now, bytes, count
	s.say("%s%s", line, s.shares())
}

// shares shows who carried the last second.
func (s *screen) shares() string {
	var b strings.Builder
	paths := s.volume.Status().Paths
	var sum uint64
	diff := make([]uint64, len(paths))
	for i, p := range paths {
		n := p.Stats.Total().Requests
		diff[i], s.paths[i] = n-s.paths[i], n
		sum += diff[i]
	}
	for i, p := range paths {
		fmt.Fprintf(&b, "  path %d %s %s", i+1, s.state(p.State), s.bar(diff[i], sum))
	}
	return b.String()
}

func (s *screen) state(st mpio.State) string {
	text := fmt.Sprintf("%-7s", st)
	if st == mpio.StateUp {
		return s.paint(green, text)
	}
	return s.paint(red, text)
}

const barLen = 12

func (s *screen) bar(n, all uint64) string {
	if all == 0 {
		all = 1
	}
	full := int((n*barLen + all/2) / all)
	on, off := "#", "."
	if s.colour {
		on, off = "█", "░"
	}
	return s.paint(green, strings.Repeat(on, full)) + s.paint(faint, strings.Repeat(off, barLen-full)) + fmt.Sprintf(" %3d %%", (n*100+all/2)/all)
}

// summary is the table of what each path carried.
func (s *screen) summary(v *stack.Volume) {
	st := v.Status()
	var all uint64
	for _, p := range st.Paths {
		all += p.Stats.Total().Requests
	}
	t := tabwriter.NewWriter(s.w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PATH\tPORTAL\tREQUESTS\tSHARE\tREAD\tWRITTEN\tERRORS\tFAILOVERS\tSTATES")
	for i, p := range st.Paths {
		n := p.Stats.Total()
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\n", i+1, v.Paths[i].Config.Portal, humanize.Comma(int64(n.Requests)),
			share(n.Requests, all), humanize.IBytes(p.Stats.Ops[blockdev.Read].Bytes), humanize.IBytes(p.Stats.Ops[blockdev.Write].Bytes),
			n.Errors, p.Stats.Failovers, v.Paths[i].History())
	}
	_ = t.Flush()
}

func (s *screen) verdict(blocks, bad uint64) {
	text, colour := fmt.Sprintf("data verified: %s blocks, %d mismatches", humanize.Comma(int64(blocks)), bad), green
	if bad > 0 {
		colour = red
	}
	s.say("\n%s", s.paint(bold, s.paint(colour, text)))
}
