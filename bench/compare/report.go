package main

import (
	"context"
	"encoding/json"
	"os"
	"runtime"
	"strings"

	"github.com/hawser-storage/hawser/scripts/proc"
)

// A report is all of one run, as --json writes it.
type report struct {
	Machine machine `json:"machine"`
	Tables  []table `json:"tables"`
}

// A machine says where the numbers come from; numbers of two machines are not compared.
type machine struct {
	CPU    string `json:"cpu"`
	CPUs   int    `json:"cpus"`
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
	Fio    string `json:"fio"`
	Peer   string `json:"peer"`
}

// A table is one plane of measurements: everything on one CPU, or on all.
type table struct {
	Pinned  bool      `json:"pinned"`
	CPU     int       `json:"cpu"` // pinned to this one
	CPUs    int       `json:"cpus"`
	Rounds  int       `json:"rounds"`
	Seconds int       `json:"seconds"`
	Rows    []outcome `json:"rows"`
}

func (r report) write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

func describeMachine(ctx context.Context) machine {
	return machine{
		CPU:    cpuModel(),
		CPUs:   runtime.NumCPU(),
		Kernel: firstLine(os.ReadFile("/proc/sys/kernel/osrelease")),
		Go:     runtime.Version(),
		Fio:    version(ctx, "fio"),
		Peer:   version(ctx, "qemu-nbd"),
	}
}

func cpuModel() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(info)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func version(ctx context.Context, program string) string {
	out, err := proc.Run(ctx, program, "--version")
	return firstLine([]byte(out), err)
}

func firstLine(text []byte, err error) string {
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(line)
}
