package sim

import (
	"net"
	"net/netip"
	"strconv"
)

// name is an address that is none of the Internet's.
type name string

func (name) Network() string  { return "sim" }
func (n name) String() string { return string(n) }

// canonical is the one spelling of an address.
func canonical(addr string) string {
	if ap, err := netip.ParseAddrPort(addr); err == nil {
		return ap.String()
	}
	return addr
}

// address is a *net.TCPAddr where addr is numeric, and a mere name elsewhere.
func address(addr string) net.Addr {
	if ap, err := netip.ParseAddrPort(addr); err == nil {
		return net.TCPAddrFromAddrPort(ap)
	}
	return name(addr)
}

// resolve puts a port of the world's choice in place of port 0. A name without a port stays as it is.
func (w *World) resolve(addr string) net.Addr {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return address(addr)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	if port == "0" {
		w.lastPort = max(w.lastPort+1, 1<<15)
		port = strconv.Itoa(int(w.lastPort))
	}
	return address(canonical(net.JoinHostPort(host, port)))
}
