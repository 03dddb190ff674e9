package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/hawser-storage/hawser/bench/fio"
	"github.com/hawser-storage/hawser/scripts/proc"
)

const (
	targetIQN = "iqn.2026-11.io.hawser:target"
	startTime = 20 * time.Second
	stopTime  = 10 * time.Second
)

// A bridge is a program that offers the LUN as an NBD socket.
type bridge struct {
	name   string
	socket string
	proc   *proc.Process
}

// A bed is what one plane of measurements runs on: one target with two portals, and both bridges to it. The
// bridge that is not measured is idle.
type bed struct {
	prefix  fio.Prefix // what everything runs under
	target  *proc.Process
	bridges []*bridge // hawser, then its peer
}

// newBed starts everything; dir is where the sockets are.
func newBed(ctx context.Context, hawser, dir string, prefix fio.Prefix) (b *bed, err error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	b = &bed{prefix: prefix}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	first, second, err := freePortals()
	if err != nil {
		return nil, err
	}
	b.target, err = b.start(hawser, "target", "serve", "--listen", first+","+second, "--lun", "null:4G")
	if err != nil {
		return nil, err
	}
	if _, err := b.target.Ready(ctx, "ready"); err != nil {
		return nil, err
	}
	if err := b.addHawser(ctx, hawser, filepath.Join(dir, "hawser.sock"), first, second); err != nil {
		return nil, err
	}
	if err := b.addQemu(ctx, filepath.Join(dir, "qemu.sock"), first); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *bed) addHawser(ctx context.Context, program, socket, first, second string) error {
	url := fmt.Sprintf("iscsi://%s,%s/%s/0", first, second, targetIQN)
	p, err := b.start(program, "attach", "--foreground", "--socket", socket, url)
	if err != nil {
		return err
	}
	b.bridges = append(b.bridges, &bridge{name: "hawser", socket: socket, proc: p})
	_, err = p.Ready(ctx, "ready")
	return err
}

// addQemu starts qemu-nbd with libiscsi, which knows one path. -e 16 lets as many clients in as it takes.
func (b *bed) addQemu(ctx context.Context, socket, portal string) error {
	url := fmt.Sprintf("iscsi://%s/%s/0", portal, targetIQN)
	p, err := b.start("qemu-nbd", "-t", "-f", "raw", "--cache=none", "--aio=threads", "-e", "16", "-k", socket, url)
	if err != nil {
		return err
	}
	b.bridges = append(b.bridges, &bridge{name: "qemu-nbd", socket: socket, proc: p})
	return awaitSocket(ctx, socket, p)
}

func (b *bed) start(name string, args ...string) (*proc.Process, error) {
	path, err := proc.Find(name)
	if err != nil {
		return nil, err
	}
	argv := append(append([]string{}, b.prefix...), path)
	argv = append(argv, args...)
	return proc.Start(argv[0], argv[1:]...)
}

// close ends what newBed started, bridges first. A bridge that dies of the signal as qemu-nbd may has done
// its work; only one that must be killed is an error.
func (b *bed) close() error {
	var errs []error
	for _, br := range b.bridges {
		errs = append(errs, stop(br.name, br.proc))
	}
	if b.target != nil {
		errs = append(errs, stop("target", b.target))
	}
	return errors.Join(errs...)
}

func stop(name string, p *proc.Process) error {
	if err := p.Stop(stopTime); errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s does not end: %w", name, err)
	}
	return nil
}

// awaitSocket waits until a unix socket takes connections, or its program has ended.
func awaitSocket(ctx context.Context, socket string, p *proc.Process) error {
	for {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-p.Done():
			return errors.Join(fmt.Errorf("the program behind %s has ended", socket), p.Wait(ctx))
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", socket, ctx.Err())
		}
	}
}

// freePortals returns two addresses on loopback with one port that is free on both.
func freePortals() (first, second string, err error) {
	for range 100 {
		if first, second, err = freePort(); err == nil {
			return first, second, nil
		}
	}
	return "", "", err
}

func freePort() (first, second string, err error) {
	a, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	defer a.Close()
	first = a.Addr().String()
	second = strings.Replace(first, "127.0.0.1", "127.0.0.2", 1)
	b, err := net.Listen("tcp", second)
	if err != nil {
		return "", "", err
	}
	defer b.Close()
	return first, second, nil
}
