// Command vm runs a command in a virtual machine, as package scripts/vm says, and exits with its status.
//
//	go run ./scripts/vm/cmd/vm -- uname -r
//	go run ./scripts/vm/cmd/vm -i
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hawser-storage/hawser/scripts/vm"
)

var verbose = flag.Bool("v", false, "say how long the boot took, and where the console is")

func main() {
	config := vm.Config{Stdout: os.Stdout, Stderr: os.Stderr}
	flag.DurationVar(&config.Timeout, "timeout", 5*time.Minute, "kill the VM when the command has lasted this `time`")
	flag.IntVar(&config.Memory, "memory", 2048, "its memory in `MiB`")
	flag.IntVar(&config.CPUs, "cpus", 2, "its processors")
	flag.BoolVar(&config.Terminal, "i", false, "use the terminal; without a command, a shell")
	flag.Func("share", "a `directory` of the host that it may write to; may be repeated", func(dir string) error {
		config.Share = append(config.Share, dir)
		return nil
	})
	flag.Func("disk", "a `file` that is a disk in it; may be repeated", func(path string) error {
		config.Disks = append(config.Disks, path)
		return nil
	})
	flag.Func("kernel", "an `argument` for the kernel; may be repeated", func(arg string) error {
		config.KernelArgs = append(config.KernelArgs, arg)
		return nil
	})
	systemd := flag.Bool("systemd", false, "boot as a host does, with systemd and udev")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: vm [flags] -- command [arguments]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if *systemd {
		config.Init = vm.Systemd
	}
	config.Command = flag.Args()
	if config.Terminal && len(config.Command) == 0 {
		config.Command = []string{"bash", "-i"}
	}
	if len(config.Command) == 0 {
		flag.Usage()
		os.Exit(2)
	}
	os.Exit(run(config))
}

// run returns the exit status: the command's, or 125 if the VM is what failed.
func run(config vm.Config) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	result, err := vm.Run(ctx, config)
	if *verbose {
		fmt.Fprintf(os.Stderr, "vm: the command began %.1f s after the VM; the console is in %s\n", result.Boot.Seconds(), result.Log)
	}
	var exit *vm.ExitError
	switch {
	case errors.As(err, &exit):
		return exit.Status
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		return 125
	}
	return 0
}
