package main

import (
	"net"
	"net/netip"
)

// warnOfSharedInterface warns if all paths leave by one interface: then its failure is that of the volume.
func warnOfSharedInterface(cfg volumeConfig) {
	if len(cfg.paths) < 2 {
		return
	}
	common := ""
	for _, p := range cfg.paths {
		name := interfaceOf(p)
		if name == "" || common != "" && common != name {
			return
		}
		common = name
	}
	cfg.log.Warn("all paths leave by the same interface: if it fails, they all do", "interface", common)
}

// interfaceOf is the interface that the path leaves by, "" if it cannot be told. Nothing is sent.
func interfaceOf(p pathConfig) string {
	local, err := netip.ParseAddr(p.portal.Interface)
	if err != nil {
		if p.portal.Interface != "" {
			return p.portal.Interface
		}
		c, err := net.Dial("udp", p.portal.Address())
		if err != nil {
			return ""
		}
		defer c.Close()
		local = c.LocalAddr().(*net.UDPAddr).AddrPort().Addr()
	}
	return interfaceWith(local.Unmap())
}

func interfaceWith(addr netip.Addr) string {
	if addr.IsLoopback() {
		return "lo"
	}
	all, err := net.Interfaces()
	if err != nil {
		return ""
	}
	for _, i := range all {
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && n.IP.Equal(net.IP(addr.AsSlice())) {
				return i.Name
			}
		}
	}
	return ""
}
