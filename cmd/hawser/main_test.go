package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/hawser-storage/hawser/cmd/internal/nbdclient"
	"github.com/hawser-storage/hawser/iscsi/target"
)

var update = flag.Bool("update", false, "write the golden files anew")

// asHawser in the environment makes the test binary the program itself.
const asHawser = "HAWSER_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asHawser) != "" {
		main()
	}
	dir, err := os.MkdirTemp("", "hawser-test-") // a test's processes are seen by that test alone, and leave nothing on the host
	if err != nil {
		panic(err)
	}
	os.Setenv("HAWSER_API", dir)
	os.Setenv(stateVariable, filepath.Join(dir, "state"))
	goleak.VerifyTestMain(m, goleak.Cleanup(func(status int) {
		_ = os.RemoveAll(dir)
		os.Exit(status)
	}))
}

// patience caps every wait of a test, so that a hang fails; nothing is measured against it.
const patience = 2 * time.Minute

const testInitiator = "iqn.2026-11.io.hawser:test"

// command runs the program in this process.
func command(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out, errs bytes.Buffer
	status = run(ctx, args, &out, &errs)
	return status, out.String(), errs.String()
}

// golden compares text with a file under testdata, in which each name stands for the text that differs from run to run.
func golden(t *testing.T, name, text string, names map[string]string) {
	t.Helper()
	for k, v := range names {
		text = strings.ReplaceAll(text, k, v)
	}
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(text, string(want)); diff != "" {
		t.Errorf("%s: got - want +:\n%s", file, diff)
	}
}

// newTestTarget serves LUNs at two portals. Who was killed with them has left nothing on those of another test, which have the same name.
func newTestTarget(t *testing.T, cfg target.Config) *localTarget {
	t.Helper()
	t.Setenv(stateVariable, t.TempDir())
	tgt, err := startTarget(cfg, []string{"127.0.0.1:0", "127.0.0.2:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tgt.close(); err != nil {
			t.Error(err)
		}
		if n, last := tgt.Violations(); n > 0 {
			t.Errorf("%d violations of the protocol: %v", n, last)
		}
	})
	return tgt
}

func (t *localTarget) url(lun string) string {
	return "iscsi://" + t.portalList() + "/" + t.IQN() + "/" + lun
}

func ramLUN(size uint64) target.LUN {
	return target.LUN{Kind: target.KindRAM, Size: size, BlockSize: 512}
}

// process is the program in a process of its own.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout *lineLog
	stderr *lineLog
	status chan int
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{t: t, stdout: newLineLog(), stderr: newLineLog(), status: make(chan int, 1)}
	p.cmd = exec.Command(os.Args[0], args...)
	p.cmd.Env = append(os.Environ(), asHawser+"=1")
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	errs, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var read sync.WaitGroup
	read.Go(func() { p.stdout.fill(out) })
	read.Go(func() { p.stderr.fill(errs) })
	over := make(chan struct{})
	go func() {
		defer close(over)
		read.Wait()
		_ = p.cmd.Wait() // the status says it
		p.status <- p.cmd.ProcessState.ExitCode()
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it may be over
		<-over
		if t.Failed() {
			t.Logf("%v\nstdout:\n%s\nstderr:\n%s", args, p.stdout.text(), p.stderr.text())
		}
	})
	return p
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// wantExit waits for the end.
func (p *process) wantExit(want int) {
	p.t.Helper()
	select {
	case got := <-p.status:
		if got != want {
			p.t.Errorf("exit status: got %d, want %d", got, want)
		}
	case <-time.After(patience):
		p.t.Fatal("the process does not end")
	}
}

// lineLog keeps lines, for who waits for one.
type lineLog struct {
	mu    sync.Mutex
	lines []string
	news  chan struct{} // closed with each line, and at the end
	over  bool
}

func newLineLog() *lineLog { return &lineLog{news: make(chan struct{})} }

func (l *lineLog) fill(r io.Reader) {
	for s := bufio.NewScanner(r); s.Scan(); {
		l.add(s.Text(), false)
	}
	l.add("", true)
}

func (l *lineLog) add(line string, over bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over = over; !over {
		l.lines = append(l.lines, line)
	}
	close(l.news)
	l.news = make(chan struct{})
}

func (l *lineLog) find(text string) (line string, found, over bool, news <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		if strings.Contains(line, text) {
			return line, true, l.over, l.news
		}
	}
	return "", false, l.over, l.news
}

func (l *lineLog) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// wait returns the first line that has text.
func (l *lineLog) wait(t *testing.T, text string) string {
	t.Helper()
	for timeout := time.After(patience); ; {
		line, found, over, news := l.find(text)
		if found {
			return line
		}
		if over {
			t.Fatalf("no line with %q, and none will come", text)
		}
		select {
		case <-news:
		case <-timeout:
			t.Fatalf("no line with %q", text)
		}
	}
}

// attach starts an attach on a unix socket and waits until it is ready.
func attach(t *testing.T, tgt *localTarget, args ...string) (p *process, socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "nbd")
	args = append([]string{"attach", "--foreground", "--initiator", testInitiator, "--socket", socket, tgt.url("0")}, args...)
	p = start(t, args...)
	p.stdout.wait(t, "ready ")
	return p, socket
}

func dial(t *testing.T, socket string) *nbdclient.Client {
	t.Helper()
	c, err := nbdclient.Dial("unix", socket, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}
