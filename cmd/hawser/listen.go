package main

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/hawser-storage/hawser/cmd/internal/unixsock"
)

// nbdListener is where NBD clients come in.
type nbdListener struct {
	net.Listener
	uri string // as the NBD project writes it
}

func (o *attachOptions) openListener() (*nbdListener, error) {
	if o.socket != "" {
		return listenUnix(o.socket)
	}
	return listenTCP(o.listen)
}

// listenTCP listens on the loopback.
func listenTCP(addr string) (*nbdListener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, usagef("--listen %q: want HOST:PORT", addr)
	}
	if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return nil, usagef("--listen %s: NBD here has neither encryption nor passwords, so it listens on the loopback only: "+
			"use 127.0.0.1:PORT, or --socket PATH, and a tunnel such as ssh -L for other hosts", addr)
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen at %s: %w: stop what listens there, or choose another port", addr, rootCause(err))
	}
	return &nbdListener{ln, "nbd://" + ln.Addr().String()}, nil
}

// listenUnix listens at path, for this user alone.
func listenUnix(path string) (*nbdListener, error) {
	ln, err := unixsock.Listen(path)
	if err != nil {
		return nil, err
	}
	return &nbdListener{ln, unixURI(path)}, nil
}

func unixURI(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	escaped := strings.NewReplacer("%2F", "/", "+", "%20").Replace(url.QueryEscape(path))
	return "nbd+unix:///?socket=" + escaped
}
