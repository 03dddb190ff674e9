package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hawser-storage/hawser/bench/fio"
)

func samplesOf(runtime time.Duration, ios ...int64) (s []sample) {
	for _, n := range ios {
		s = append(s, sample{
			Result: fio.Result{IOs: n, Bytes: n * 4096, Runtime: runtime, P50: 100 * time.Microsecond, P99: time.Millisecond},
			CPU:    runtime / 2,
		})
	}
	return s
}

func TestMedian(t *testing.T) {
	iops := sample.IOPS
	if got, want := median(samplesOf(time.Second, 30, 10, 20), iops), 20.0; got != want {
		t.Errorf("of three: got %v, want %v", got, want)
	}
	if got, want := median(samplesOf(time.Second, 40, 10, 20, 30), iops), 25.0; got != want {
		t.Errorf("of four: got %v, want %v", got, want)
	}
}

func TestOutcomeJudgesByTheRow(t *testing.T) {
	o := newOutcome(rows[0], "hawser", "qemu-nbd", map[string][]sample{
		"hawser":   samplesOf(time.Second, 30000),
		"qemu-nbd": samplesOf(time.Second, 10000),
	})
	want := []floor{
		{What: "IOPS", AtLeast: 2.5, Got: 3, Met: true},
		{What: "p99", AtMost: 0.6, Got: 1, Met: false},
		{What: "CPU", AtMost: 0.25, Got: o.Ratios.CPU, Met: false},
	}
	if diff := cmp.Diff(want, o.Floors); diff != "" {
		t.Error(diff)
	}
	if got, want := o.Bridges["hawser"].CPUPerIO, 0.5e6/30000; got != want {
		t.Errorf("CPU per I/O: got %v us, want %v", got, want)
	}
	var text bytes.Buffer
	table{Pinned: true, Rounds: 1, Seconds: 1, Rows: []outcome{o}}.write(&text)
	for _, part := range []string{"3.00x", "IOPS >= 2.50x met", "p99 <= 0.60x NOT MET"} {
		if !strings.Contains(text.String(), part) {
			t.Errorf("the table has no %q:\n%s", part, &text)
		}
	}
}

func TestSelectRows(t *testing.T) {
	got, err := selectRows("*-qd1,1m-*")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range got {
		names = append(names, r.name)
	}
	want := []string{"4k-randread-qd1", "1m-read-qd16", "1m-write-qd16"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"8k-*", "[", "4k"} {
		if rows, err := selectRows(bad); err == nil {
			t.Errorf("%q: got %d rows, want an error", bad, len(rows))
		}
	}
}

func TestOptionsRefused(t *testing.T) {
	for _, args := range [][]string{{"--rounds", "0"}, {"--seconds", "0"}, {"--tables", "all"}, {"more"}, {"--nope"}} {
		if _, err := parseOptions(args, io.Discard); !errors.As(err, new(usageError)) {
			t.Errorf("%q: got %v, want a usage error", args, err)
		}
	}
	if _, err := parseOptions([]string{"--help"}, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("--help: got %v", err)
	}
}
