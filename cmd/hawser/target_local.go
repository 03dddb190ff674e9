package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/iscsi/target"
)

// closeTargetWithin bounds the end of a target: I/O on files may still be under way.
const closeTargetWithin = 10 * time.Second

// localTarget is a target on a loop of its own.
type localTarget struct {
	*target.Target
	loop    *loop.Loop
	ran     chan error
	portals []net.Addr
	failed  chan error // a portal that stopped listening
}

// startTarget listens at every address, and serves.
func startTarget(cfg target.Config, listen []string) (*localTarget, error) {
	lns, err := listenAll(listen)
	if err != nil {
		return nil, err
	}
	t, err := newLocalTarget(cfg)
	if err != nil {
		closeAll(lns)
		return nil, err
	}
	t.failed = make(chan error, len(lns))
	for _, ln := range lns {
		t.portals = append(t.portals, ln.Addr())
		go func() {
			if err := t.Serve(ln, portalGroup); err != nil {
				t.failed <- err
			}
		}()
	}
	return t, nil
}

// portalGroup is the tag of all portals: each session has one connection, so nothing depends on it.
const portalGroup = 1

func newLocalTarget(cfg target.Config) (*localTarget, error) {
	l, err := loop.New(loop.Config{})
	if err != nil {
		return nil, err
	}
	t := &localTarget{loop: l, ran: make(chan error, 1)}
	go func() { t.ran <- l.Run() }()
	if t.Target, err = target.New(l, cfg); err != nil {
		l.Stop()
		return nil, errors.Join(err, <-t.ran)
	}
	return t, nil
}

func (t *localTarget) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTargetWithin)
	defer cancel()
	err := t.Target.Close(ctx)
	t.loop.Stop()
	return errors.Join(err, <-t.ran)
}

func (t *localTarget) portalList() string {
	var s []string
	for _, p := range t.portals {
		s = append(s, p.String())
	}
	return strings.Join(s, ",")
}

func listenAll(addrs []string) (lns []net.Listener, err error) {
	for _, a := range addrs {
		if _, _, err := net.SplitHostPort(a); err != nil {
			closeAll(lns)
			return nil, usagef("--listen %q: want HOST:PORT, such as 127.0.0.1:3260", a)
		}
		ln, err := net.Listen("tcp", a)
		if err != nil {
			closeAll(lns)
			return nil, fmt.Errorf("cannot listen at %s: %w: stop what listens there, or choose another address with --listen", a, rootCause(err))
		}
		lns = append(lns, ln)
	}
	return lns, nil
}

func closeAll(lns []net.Listener) {
	for _, ln := range lns {
		_ = ln.Close()
	}
}

func isLoopback(a net.Addr) bool {
	t, ok := a.(*net.TCPAddr)
	return ok && t.IP.IsLoopback()
}

// rootCause takes off what the packages on the way have put before an error.
func rootCause(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
