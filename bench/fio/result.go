package fio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// A Result is what one run measured. Reads and writes are taken together.
type Result struct {
	IOs      int64         `json:"ios"`
	Bytes    int64         `json:"bytes"`
	Runtime  time.Duration `json:"runtime_ns"`
	P50, P99 time.Duration // completion latency; of the direction that did more I/O, if there were two
}

// IOPS returns I/Os per second.
func (r Result) IOPS() float64 { return float64(r.IOs) / r.Runtime.Seconds() }

// Bandwidth returns bytes per second.
func (r Result) Bandwidth() float64 { return float64(r.Bytes) / r.Runtime.Seconds() }

// report is the part of fio's JSON that is read here.
type report struct {
	Jobs []struct {
		Error int       `json:"error"`
		Read  direction `json:"read"`
		Write direction `json:"write"`
	} `json:"jobs"`
}

type direction struct {
	TotalIOs int64 `json:"total_ios"`
	IOBytes  int64 `json:"io_bytes"`
	Runtime  int64 `json:"runtime"` // milliseconds
	Clat     struct {
		Percentile map[string]int64 `json:"percentile"`
	} `json:"clat_ns"`
}

func parse(out []byte) (Result, error) {
	// fio writes its warnings before the report, on the same stream.
	start := bytes.IndexByte(out, '{')
	if start < 0 {
		return Result{}, fmt.Errorf("fio: no report in its output: %.200q", out)
	}
	var r report
	if err := json.Unmarshal(out[start:], &r); err != nil {
		return Result{}, fmt.Errorf("fio: its report: %w", err)
	}
	if len(r.Jobs) != 1 {
		return Result{}, fmt.Errorf("fio: a report of %d jobs, want 1", len(r.Jobs))
	}
	job := r.Jobs[0]
	if job.Error != 0 {
		return Result{}, fmt.Errorf("fio: the job ended with error %d", job.Error)
	}
	return job.Read.plus(job.Write)
}

func (d direction) plus(other direction) (Result, error) {
	res := Result{
		IOs:     d.TotalIOs + other.TotalIOs,
		Bytes:   d.IOBytes + other.IOBytes,
		Runtime: time.Duration(max(d.Runtime, other.Runtime)) * time.Millisecond,
	}
	if res.IOs == 0 || res.Runtime == 0 {
		return Result{}, errors.New("fio: the job did no I/O")
	}
	if other.TotalIOs > d.TotalIOs {
		d = other
	}
	res.P50 = time.Duration(d.Clat.Percentile["50.000000"])
	res.P99 = time.Duration(d.Clat.Percentile["99.000000"])
	if res.P50 == 0 || res.P99 == 0 {
		return Result{}, errors.New("fio: the report has no percentiles")
	}
	return res, nil
}
