package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/hawser-storage/hawser/bench/fio"
)

// A sample is one fio run through one bridge.
type sample struct {
	fio.Result
	CPU time.Duration `json:"cpu_ns"` // the bridge's, from before fio connects until after it has gone
}

// figures are what the table shows of one bridge in one row: medians over the rounds.
type figures struct {
	IOPS     float64 `json:"iops"`
	MBps     float64 `json:"mb_per_s"` // 10^6 bytes
	P50      float64 `json:"p50_us"`
	P99      float64 `json:"p99_us"`
	CPUPerIO float64 `json:"cpu_us_per_io"`
	CPUPerGB float64 `json:"cpu_s_per_gb"` // 10^9 bytes
}

// plan says how long and how often.
type plan struct {
	rows    []row
	rounds  int
	seconds int
}

// measure runs every row through both bridges, interleaved: A B, B A, A B ... so that what drifts on the
// machine meets both alike.
func (b *bed) measure(ctx context.Context, p plan, progress io.Writer) ([]outcome, error) {
	for _, br := range b.bridges {
		// The first run of a process pays for its memory; nobody's table should.
		if _, err := b.sample(ctx, br, p.rows[0].job, 1); err != nil {
			return nil, fmt.Errorf("warming up %s: %w", br.name, err)
		}
	}
	var outcomes []outcome
	for _, r := range p.rows {
		o, err := b.measureRow(ctx, r, p, progress)
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, o)
	}
	return outcomes, nil
}

func (b *bed) measureRow(ctx context.Context, r row, p plan, progress io.Writer) (outcome, error) {
	samples := map[string][]sample{}
	order := slices.Clone(b.bridges)
	for round := range p.rounds {
		for _, br := range order {
			s, err := b.sample(ctx, br, r.job, p.seconds)
			if err != nil {
				return outcome{}, fmt.Errorf("%s through %s: %w", r.name, br.name, err)
			}
			samples[br.name] = append(samples[br.name], s)
			fmt.Fprintf(progress, "%-18s round %d/%d  %-8s  %9.0f IOPS  %7.0f MB/s\n",
				r.name, round+1, p.rounds, br.name, s.IOPS(), s.Bandwidth()/1e6)
		}
		slices.Reverse(order)
	}
	return newOutcome(r, b.bridges[0].name, b.bridges[1].name, samples), nil
}

func (b *bed) sample(ctx context.Context, br *bridge, j fio.Job, seconds int) (sample, error) {
	before, err := cpuTime(br.proc.Pid())
	if err != nil {
		return sample{}, err
	}
	res, err := j.Run(ctx, b.prefix, br.socket, seconds)
	if err != nil {
		return sample{}, err
	}
	after, err := cpuTime(br.proc.Pid())
	if err != nil {
		return sample{}, err
	}
	return sample{Result: res, CPU: after - before}, nil
}

func medians(samples []sample) figures {
	return figures{
		IOPS:     median(samples, sample.IOPS),
		MBps:     median(samples, func(s sample) float64 { return s.Bandwidth() / 1e6 }),
		P50:      median(samples, func(s sample) float64 { return s.P50.Seconds() * 1e6 }),
		P99:      median(samples, func(s sample) float64 { return s.P99.Seconds() * 1e6 }),
		CPUPerIO: median(samples, func(s sample) float64 { return s.CPU.Seconds() * 1e6 / float64(s.IOs) }),
		CPUPerGB: median(samples, func(s sample) float64 { return s.CPU.Seconds() * 1e9 / float64(s.Bytes) }),
	}
}

// median returns the middle value, or the mean of the two in the middle.
func median(samples []sample, value func(sample) float64) float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = value(s)
	}
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
