package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// signals is what the operator tells a process that serves. SIGINT, SIGTERM and SIGHUP end it in order, a second one at once;
// SIGUSR1 asks how things are.
type signals struct {
	stop   context.Context // done after the first signal to end
	status <-chan os.Signal
	close  func()
}

func watchSignals(ctx context.Context, stderr io.Writer) *signals {
	signal.Ignore(syscall.SIGPIPE) // a log that nobody reads any more must not end the I/O
	end := make(chan os.Signal, 2)
	status := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	signal.Notify(status, syscall.SIGUSR1)
	stop, cancel := context.WithCancel(ctx)
	over := make(chan struct{})
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		endOnSignals(end, over, cancel, stderr)
	}()
	return &signals{stop: stop, status: status, close: func() {
		signal.Stop(end)
		signal.Stop(status)
		close(over)
		<-gone
		cancel()
	}}
}

// atOnceAfter is how much later a second signal has to come to count as one: some programs, such as timeout(1), send each signal
// both to the process and to its group.
const atOnceAfter = 500 * time.Millisecond

func endOnSignals(end <-chan os.Signal, over <-chan struct{}, cancel func(), stderr io.Writer) {
	select {
	case <-end:
		cancel()
	case <-over:
		return
	}
	first := time.Now()
	for {
		select {
		case s := <-end:
			if time.Since(first) < atOnceAfter {
				continue
			}
			fmt.Fprintf(stderr, "hawser: second signal (%v): ended at once; what was in flight may or may not have been written\n", s)
			os.Exit(exitFailed)
		case <-over:
			return
		}
	}
}
