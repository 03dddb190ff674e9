package vm

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// A reading is what comes through the ports of one VM.
type reading struct {
	began           time.Time
	boot            time.Duration // until the command began; 0 if it did not
	exited          bool          // the command, with a status
	status          int
	stdout, stderr  output
	onStart, onExit func() // called when the command begins and ends, if not nil
}

// all reads the ports, in their order, until QEMU closes them.
func (r *reading) all(readers []*os.File) {
	var wg sync.WaitGroup
	for i, read := range []func(io.Reader){r.readStatus, r.stdout.read, r.stderr.read} {
		wg.Go(func() {
			defer readers[i].Close()
			read(readers[i])
		})
	}
	wg.Wait()
}

// readStatus reads what guest/run says: "started", and "exit" with the status.
func (r *reading) readStatus(port io.Reader) {
	for lines := bufio.NewScanner(port); lines.Scan(); {
		if lines.Text() == "started" {
			r.boot = time.Since(r.began)
			call(r.onStart)
		} else if n, _ := fmt.Sscanf(lines.Text(), "exit %d", &r.status); n == 1 {
			r.exited = true
			call(r.onExit)
		}
	}
}

func call(f func()) {
	if f != nil {
		f()
	}
}
