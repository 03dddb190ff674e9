package vm

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// An Init is what is PID 1 in the VM.
type Init int

const (
	// Script is the least that can run a command: it is there within seconds.
	Script Init = iota
	// Systemd is a host that boots as far as multi-user.target, and then runs the command. When that has
	// ended the host shuts down, in order.
	Systemd
)

// A Config says what a VM is like and what it does. The zero value of every field but Command is of use.
type Config struct {
	// Command is what is run, a program and its arguments; see [Shell]. Its stdin is empty.
	Command []string
	// Dir is where it is run; by default where the caller is.
	Dir string
	// Env is added to its environment, as "NAME=value"; the caller's does not come along.
	Env []string
	// Stdout and Stderr see what the command writes at once, beside what is kept in the [Result].
	Stdout, Stderr io.Writer

	// Init is what runs the command.
	Init Init
	// Prepare is a shell script that is run in the root before its PID 1: it writes an /etc/fstab, or enables
	// units. It is part of the boot, so what it writes is on the console, and if it fails there is no VM.
	Prepare string

	// Timeout is the time from the start of the command to the end of the VM; by default five minutes. The boot,
	// which takes longer when others use the processors, has its own limit, which is generous.
	Timeout time.Duration
	// Alone lets no other VM of the clone run meanwhile.
	Alone bool
	// Memory is in MiB; by default 2048. What is written to the root is taken out of it.
	Memory int
	// CPUs is the number of processors; by default 2.
	CPUs int
	// Share has directories of the host that the VM may write to. They have the same paths in it.
	Share []string
	// Disks has files that are disks in the VM: /dev/vda, /dev/vdb and so on, in this order. Their serial
	// numbers are disk0, disk1 and so on. What the VM writes is in the file when Run returns.
	Disks []string
	// KernelArgs are added to the kernel's command line.
	KernelArgs []string

	// Terminal gives the command the caller's terminal, as /dev/hvc0.
	Terminal bool
}

// Shell returns a command that runs a script with bash, which ends at the first command that fails.
func Shell(script string) []string {
	return []string{"bash", "-euo", "pipefail", "-c", script}
}

// complete returns the configuration with its defaults, and paths that do not depend on where the caller is.
func (c Config) complete() (Config, error) {
	if len(c.Command) == 0 {
		return c, fmt.Errorf("vm: no command")
	}
	if c.Timeout == 0 {
		c.Timeout = 5 * time.Minute
	}
	if c.Memory == 0 {
		c.Memory = 2048
	}
	if c.CPUs == 0 {
		c.CPUs = 2
	}
	if c.Dir == "" {
		c.Dir = "."
	}
	var err error
	if c.Dir, err = filepath.Abs(c.Dir); err != nil {
		return c, fmt.Errorf("vm: %w", err)
	}
	if c.Share, err = existing(c.Share); err != nil {
		return c, err
	}
	c.Disks, err = existing(c.Disks)
	return c, err
}

// existing returns absolute paths of what must be there.
func existing(paths []string) (all []string, err error) {
	for _, path := range paths {
		if path, err = filepath.Abs(path); err != nil {
			return nil, fmt.Errorf("vm: %w", err)
		}
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("vm: %w", err)
		}
		if strings.Contains(path, "\n") {
			return nil, fmt.Errorf("vm: a line break in the path %q", path)
		}
		all = append(all, path)
	}
	return all, nil
}
