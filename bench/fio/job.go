package fio

import (
	"context"
	"fmt"
	"time"

	"github.com/hawser-storage/hawser/scripts/proc"
)

// A Job is a load on one NBD export.
type Job struct {
	RW        string // as fio's rw: randread, randwrite, read, write, randrw ...
	BlockSize int    // bytes
	Depth     int    // requests in flight
	Size      int64  // bytes of the export that the load covers, from its beginning
}

// Prefix is what a measurement is run under, such as taskset with its arguments; it may be empty.
type Prefix []string

// Run loads the export at a unix socket for a time, and returns what fio measured.
func (j Job) Run(ctx context.Context, prefix Prefix, socket string, seconds int) (Result, error) {
	// fio ends by itself; the margin is for its start and for what is in flight.
	ctx, cancel := context.WithTimeout(ctx, time.Duration(seconds)*time.Second+time.Minute)
	defer cancel()
	argv := append(append([]string{}, prefix...), "fio")
	argv = append(argv, j.args(socket, seconds)...)
	out, err := proc.Run(ctx, argv[0], argv[1:]...)
	if err != nil {
		return Result{}, fmt.Errorf("fio: %w", err)
	}
	return parse([]byte(out))
}

func (j Job) args(socket string, seconds int) []string {
	return []string{
		"--name=job", "--output-format=json",
		"--ioengine=nbd", "--uri=nbd+unix:///?socket=" + socket, "--thread",
		"--rw=" + j.RW, fmt.Sprintf("--bs=%d", j.BlockSize), fmt.Sprintf("--iodepth=%d", j.Depth),
		fmt.Sprintf("--size=%d", j.Size), "--norandommap", "--scramble_buffers=0",
		"--time_based", fmt.Sprintf("--runtime=%d", seconds),
		"--percentile_list=50:99",
	}
}
