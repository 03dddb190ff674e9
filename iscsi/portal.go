package iscsi

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// DefaultPort is iSCSI's registered TCP port (RFC 7143, section 14).
const DefaultPort = 3260

// Portal is where a target listens, and from where it is reached.
type Portal struct {
	Host      string // address or name, IPv6 without brackets
	Port      uint16
	Interface string // name of a local interface, or a local address; "" leaves it to the routing
}

// ParsePortal reads host[:port][%interface]. An IPv6 address with a port stands in brackets. The port defaults to 3260.
func ParsePortal(s string) (Portal, error) {
	addr, ifc, bound := strings.Cut(s, "%")
	if bound && ifc == "" {
		return Portal{}, fmt.Errorf("portal %q: no interface after %%", s)
	}
	p := Portal{Host: addr, Port: DefaultPort, Interface: ifc}
	switch {
	case strings.HasPrefix(addr, "[") && strings.HasSuffix(addr, "]"):
		p.Host = addr[1 : len(addr)-1]
	case strings.HasPrefix(addr, "[") || strings.Count(addr, ":") == 1:
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return Portal{}, fmt.Errorf("portal %q: want host[:port][%%interface]", s)
		}
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return Portal{}, fmt.Errorf("portal %q: port %q is no number from 1 to 65535", s, port)
		}
		p.Host, p.Port = host, uint16(n)
	}
	if p.Host == "" || strings.ContainsAny(p.Host, "/[] \t") {
		return Portal{}, fmt.Errorf("portal %q: want host[:port][%%interface]", s)
	}
	return p, nil
}

// Address is the portal as package net wants it.
func (p Portal) Address() string { return net.JoinHostPort(p.Host, strconv.Itoa(int(p.Port))) }

func (p Portal) String() string {
	if p.Interface == "" {
		return p.Address()
	}
	return p.Address() + "%" + p.Interface
}
