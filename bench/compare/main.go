package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"

	"github.com/hawser-storage/hawser/bench/fio"
)

// options are the command line.
type options struct {
	hawser   string
	rows     string
	rounds   int
	seconds  int
	cpu      int
	planes   string
	jsonPath string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.As(err, new(usageError)):
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

type usageError struct{ error }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parseOptions(args, stderr)
	if err != nil {
		return err
	}
	chosen, err := selectRows(o.rows)
	if err != nil {
		return usageError{err}
	}
	p := plan{rows: chosen, rounds: o.rounds, seconds: o.seconds}
	r := report{Machine: describeMachine(ctx)}
	m := r.Machine
	fmt.Fprintf(stdout, "%s, %d CPUs, Linux %s, %s, %s, %s\n", m.CPU, m.CPUs, m.Kernel, m.Go, m.Fio, m.Peer)
	for _, pinned := range o.pinned() {
		t, err := o.plane(ctx, p, pinned, stderr)
		if err != nil {
			return err
		}
		t.write(stdout)
		r.Tables = append(r.Tables, t)
	}
	if o.jsonPath != "" {
		return r.write(o.jsonPath)
	}
	return nil
}

func parseOptions(args []string, stderr io.Writer) (o options, err error) {
	fs := flag.NewFlagSet("compare", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.hawser, "hawser", "bin/hawser", "the `program` under test")
	fs.StringVar(&o.rows, "rows", "", "only rows that match one of these `patterns`, with commas, such as 4k-*,1m-read-*: "+rowNames())
	fs.IntVar(&o.rounds, "rounds", 3, "times that each row runs through each bridge")
	fs.IntVar(&o.seconds, "seconds", 5, "length of one run")
	fs.IntVar(&o.cpu, "pin", runtime.NumCPU()-1, "the `CPU` that the pinned table uses")
	fs.StringVar(&o.planes, "tables", "both", "which to make: pinned, unpinned or both")
	fs.StringVar(&o.jsonPath, "json", "", "also write everything, each sample too, to this `file`")
	if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
		return o, err
	} else if err != nil {
		return o, usageError{err}
	}
	if fs.NArg() > 0 || o.rounds < 1 || o.seconds < 1 || o.pinned() == nil {
		return o, usageError{errors.New("want no arguments, --rounds and --seconds of at least 1, --tables pinned, unpinned or both")}
	}
	return o, nil
}

// pinned returns which tables to make, in order; nil if the option is none of its words.
func (o options) pinned() []bool {
	return map[string][]bool{"pinned": {true}, "unpinned": {false}, "both": {true, false}}[o.planes]
}

// plane starts everything for one table, measures, and ends everything.
func (o options) plane(ctx context.Context, p plan, pinned bool, progress io.Writer) (t table, err error) {
	t = table{Pinned: pinned, CPU: o.cpu, CPUs: runtime.NumCPU(), Rounds: p.rounds, Seconds: p.seconds}
	fmt.Fprintf(progress, "\n%s\n", t.title())
	dir, err := os.MkdirTemp("", "hawser-compare-")
	if err != nil {
		return t, err
	}
	defer os.RemoveAll(dir)
	var prefix fio.Prefix
	if pinned {
		prefix = fio.Prefix{"taskset", "-c", strconv.Itoa(o.cpu)}
	}
	b, err := newBed(ctx, o.hawser, dir, prefix)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	t.Rows, err = b.measure(ctx, p, progress)
	return t, err
}
