package kernel

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// variable has the order of a process that was started for an errand, in its environment.
const variable = "HAWSER_NBD_ERRAND"

// Prepare is what a program that serves a device does first of all, before anything is opened, started or said. From then on what may wait
// for the device's own I/O is done by a process of its own, which is this program once more; see Errands in the package comment. In
// such a process Prepare does what it is for, and does not return.
func Prepare() {
	text, isErrand := os.LookupEnv(variable)
	if !isErrand {
		linux.program = "/proc/self/exe" // which is us, even when a newer version has been installed in our place
		return
	}
	if err := serve(text); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve is such a process.
func serve(text string) error {
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return fmt.Errorf("%s is no errand: %w", variable, err)
	}
	_ = os.WriteFile("/proc/self/comm", []byte(o.Errand.program()), 0) // for who looks who has a device open
	if o.Socket {
		o.socket = os.NewFile(3, "nbd")
	}
	h := *linux
	h.root = o.Root
	return json.NewEncoder(os.Stdout).Encode(o.carryOut(&h, os.Stdin))
}

// carryOut does an errand. Who asked for it is there until wanted comes to its end.
func (o *order) carryOut(h *host, wanted io.Reader) report {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, wanted)
		cancel()
	}()
	r, err := o.do(ctx, h)
	r.Err = fault{err}
	return r
}

// errandPrefix begins the name of such a process: hawser-flush.
const errandPrefix = "hawser-"

func (e errand) program() string { return errandPrefix + string(e) }

// process is one that does an errand.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	out   bytes.Buffer
	err   bytes.Buffer
}

// start starts one. It has nothing of ours: no file, as all are closed when it begins; no environment, which may tell of sockets that are
// meant for us, but what modprobe needs; no directory, which somebody may want to unmount. An interrupt from the terminal is not for
// it: who interrupts us has us end what we do in order.
func (o *order) start(program string) (*process, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	p := &process{cmd: &exec.Cmd{
		Path:        program,
		Args:        []string{o.Errand.program()}, // for who looks at the list of processes
		Env:         []string{variable + "=" + string(text), "PATH=" + os.Getenv("PATH")},
		Dir:         "/",
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}}
	if o.Index >= 0 {
		p.cmd.Args = append(p.cmd.Args, nodeOf(o.Index))
	}
	if o.Socket {
		p.cmd.ExtraFiles = []*os.File{o.socket}
	}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return p, p.cmd.Start()
}

// wait returns the report. When ctx ends the process is told so, and not killed: it may be sending a request of the device's, and
// drivers before Linux 6.13 get confused when a signal cuts that short.
func (p *process) wait(ctx context.Context) (r report, err error) {
	defer context.AfterFunc(ctx, func() { _ = p.stdin.Close() })()
	err = p.cmd.Wait()
	if err == nil {
		err = json.Unmarshal(p.out.Bytes(), &r)
	}
	if err != nil {
		said := strings.TrimSpace(p.err.String() + p.out.String())
		return report{}, fmt.Errorf("%s (process %d), which was to do it, has not said what came of it: %w: %.500q", p.cmd.Args[0], p.cmd.Process.Pid, err, said)
	}
	return r, r.Err.error
}
