package main

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestCPUTime compares the clock read by process id with what the kernel tells the process about itself.
func TestCPUTime(t *testing.T) {
	var spent unix.Rusage
	for deadline := time.Now().Add(10 * time.Second); time.Duration(spent.Utime.Nano()) < 50*time.Millisecond; {
		if time.Now().After(deadline) {
			t.Fatal("no CPU time was used in 10 s")
		}
		if err := unix.Getrusage(unix.RUSAGE_SELF, &spent); err != nil {
			t.Fatal(err)
		}
	}
	got, err := cpuTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	want := time.Duration(spent.Utime.Nano() + spent.Stime.Nano())
	if got < want || got > want+time.Second {
		t.Errorf("got %v, want %v or a little more", got, want)
	}
}

func TestCPUTimeOfNobody(t *testing.T) {
	if got, err := cpuTime(1 << 22); err == nil {
		t.Errorf("got %v for a process that is not there", got)
	}
}
