package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A Process is a running program, or one that has ended. Its methods may be called from any goroutine.
type Process struct {
	// Stdout and Stderr hold all that the program has written so far.
	Stdout, Stderr *Output

	name string
	cmd  *exec.Cmd
	done chan struct{} // closed when the program has ended
	err  error         // valid when done is closed
}

// Find returns the path of a program, looked for in PATH and then where root's programs are, which is not
// in everybody's PATH.
func Find(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed; `make setup` installs it", name)
}

// Start starts a program, by name or path.
func Start(name string, args ...string) (*Process, error) {
	path, err := Find(name)
	if err != nil {
		return nil, err
	}
	p := &Process{
		Stdout: newOutput(),
		Stderr: newOutput(),
		name:   filepath.Base(name),
		cmd:    exec.Command(path, args...),
		done:   make(chan struct{}),
	}
	p.cmd.Stdout, p.cmd.Stderr = p.Stdout, p.Stderr
	// Its own process group: an interrupt at the terminal comes to us, and we end it in order.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	// A child of the child may hold the pipes open; its output is not waited for.
	p.cmd.WaitDelay = 2 * time.Second
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	go p.wait()
	return p, nil
}

// Run starts a program, waits for its end, and returns what it wrote on stdout. It is killed when ctx is done.
// The error carries what the program wrote on stderr.
func Run(ctx context.Context, name string, args ...string) (string, error) {
	p, err := Start(name, args...)
	if err != nil {
		return "", err
	}
	if err := p.Wait(ctx); err != nil {
		_ = p.Kill()
		return p.Stdout.String(), err
	}
	return p.Stdout.String(), nil
}

func (p *Process) wait() {
	p.err = p.cmd.Wait()
	p.Stdout.close()
	p.Stderr.close()
	close(p.done)
}

// Pid returns the process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Signal sends a signal to the process, and to nothing else.
func (p *Process) Signal(sig os.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil {
		return fmt.Errorf("signal %s: %w", p.name, err)
	}
	return nil
}

// Wait waits for the program's end and returns nil if its exit status was 0.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.done:
		return p.fault(p.err)
	case <-ctx.Done():
		return p.fault(ctx.Err())
	}
}

// Ready waits for a line on stdout that begins with prefix, and returns it.
func (p *Process) Ready(ctx context.Context, prefix string) (string, error) {
	line, err := p.Stdout.line(ctx, prefix)
	if err != nil {
		return "", p.fault(fmt.Errorf("no line %q: %w", prefix, err))
	}
	return line, nil
}

// Stop asks the program to end, with SIGTERM, and returns nil if it ended within the grace with exit status
// 0. One that has not ended by then is killed.
func (p *Process) Stop(grace time.Duration) error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := p.Wait(ctx)
	return errors.Join(err, p.Kill())
}

// Kill ends the program at once, if it has not ended, and waits for that.
func (p *Process) Kill() error {
	_ = p.cmd.Process.Kill()
	select {
	case <-p.done:
		return nil
	case <-time.After(time.Minute):
		return fmt.Errorf("%s (process %d) does not die", p.name, p.Pid())
	}
}

// fault dresses an error with the program's name and the end of what it wrote on stderr.
func (p *Process) fault(err error) error {
	if err == nil {
		return nil
	}
	text := strings.TrimSpace(p.Stderr.String())
	if n := len(text); n > 4000 {
		text = "..." + text[n-4000:]
	}
	if text == "" {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return fmt.Errorf("%s: %w; on stderr:\n%s", p.name, err, text)
}
