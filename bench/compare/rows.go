package main

import (
	"fmt"
	"path"
	"strings"

	"github.com/hawser-storage/hawser/bench/fio"
)

const (
	kib = 1 << 10
	mib = 1 << 20

	lunSize = 4 << 30
)

// A row is one kind of load, and the ratios to the peer that hawser is to reach, pinned to one core. A zero
// floor asks for nothing.
type row struct {
	name string
	job  fio.Job

	iops     float64 // IOPS, which at one block size is bandwidth too: at least
	cpu      float64 // the bridge's CPU time per I/O, which is per byte too: at most
	p50, p99 float64 // latency: at most
}

var rows = []row{
	{name: "4k-randread-qd32", job: job("randread", 4*kib, 32), iops: 2.5, cpu: 0.25, p99: 0.6},
	{name: "4k-randwrite-qd32", job: job("randwrite", 4*kib, 32), iops: 2.3, cpu: 0.30, p99: 0.6},
	{name: "4k-randread-qd1", job: job("randread", 4*kib, 1), iops: 1.7, cpu: 0.42, p50: 0.52},
	{name: "64k-read-qd16", job: job("read", 64*kib, 16), iops: 1.1, cpu: 0.9},
	{name: "256k-read-qd16", job: job("read", 256*kib, 16), iops: 1.1, cpu: 0.9},
	{name: "1m-read-qd16", job: job("read", mib, 16), iops: 1.9, cpu: 0.20},
	{name: "1m-write-qd16", job: job("write", mib, 16), iops: 1.25, cpu: 0.65},
}

func job(rw string, block, depth int) fio.Job {
	return fio.Job{RW: rw, BlockSize: block, Depth: depth, Size: lunSize}
}

// selectRows returns the rows whose names match one of the comma-separated patterns; all, if there is none.
func selectRows(patterns string) ([]row, error) {
	if patterns == "" {
		return rows, nil
	}
	var chosen []row
	for _, r := range rows {
		for pattern := range strings.SplitSeq(patterns, ",") {
			if ok, err := path.Match(pattern, r.name); err != nil {
				return nil, fmt.Errorf("rows %q: %w", pattern, err)
			} else if ok {
				chosen = append(chosen, r)
				break
			}
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no row matches %q; the rows are %s", patterns, rowNames())
	}
	return chosen, nil
}

func rowNames() string {
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = r.name
	}
	return strings.Join(names, " ")
}
