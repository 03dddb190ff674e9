package stack

import (
	"net"
	"net/netip"
)

// WarnOfSharedInterface warns if all paths leave by one interface: then its failure is that of the volume.
func (v *Volume) WarnOfSharedInterface() {
	if len(v.cfg.Paths) < 2 {
		return
	}
	common := ""
	for _, p := range v.cfg.Paths {
		name := InterfaceOf(p)
		if name == "" || common != "" && common != name {
			return
		}
		common = name
	}
	v.log.Warn("all paths leave by the same interface: if it fails, they all do", "interface", common)
}

// InterfaceOf is the interface that the path leaves by, "" if it cannot be told. Nothing is sent.
func InterfaceOf(p PathConfig) string {
	local, err := netip.ParseAddr(p.Portal.Interface)
	if err != nil {
		if p.Portal.Interface != "" {
			return p.Portal.Interface
		}
		c, err := net.Dial("udp", p.Portal.Address())
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
