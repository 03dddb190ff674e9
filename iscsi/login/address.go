package login

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// DefaultPort is where an iSCSI target listens unless its address says
// otherwise.
const DefaultPort = 3260

// An Address is the value of a TargetAddress key: a portal and, in answers to
// SendTargets, its portal group. RFC 7143, section 13.8.
type Address struct {
	Host   string // a DNS name, or an IPv4 or IPv6 address without brackets
	Port   uint16 // TCP port; never 0
	Tag    uint16 // portal group tag, if HasTag
	HasTag bool
}

// ParseAddress reads host[:port][,tag]. An IPv6 address is in brackets; the
// port is DefaultPort if none is named.
func ParseAddress(s string) (Address, error) {
	a := Address{Port: DefaultPort}
	portal, tag, hasTag := strings.Cut(s, ",")
	if hasTag {
		n, err := strconv.ParseUint(tag, 10, 16)
		if err != nil {
			return Address{}, badAddress(s, "the portal group tag is no number from 0 to 65535")
		}
		a.Tag, a.HasTag = uint16(n), true
	}
	host, port, err := splitPortal(portal)
	if err != nil {
		return Address{}, badAddress(s, err.Error())
	}
	a.Host = host
	if port == "" {
		return a, nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return Address{}, badAddress(s, "the port is no number from 1 to 65535")
	}
	a.Port = uint16(n)
	return a, nil
}

// splitPortal separates host and port, and takes the brackets off.
func splitPortal(s string) (host, port string, err error) {
	var rest string
	if inside, after, ok := cutBrackets(s); ok {
		ip, err := netip.ParseAddr(inside)
		if err != nil || !ip.Is6() {
			return "", "", fmt.Errorf("%s in brackets is no IPv6 address", quoteValue(inside))
		}
		host, rest = inside, after
	} else {
		host, rest = s, ""
		if i := strings.IndexByte(s, ':'); i >= 0 {
			host, rest = s[:i], s[i:]
		}
		if !validHost(host) {
			return "", "", fmt.Errorf("%s is no host", quoteValue(host))
		}
	}
	if rest == "" {
		return host, "", nil
	}
	port, ok := strings.CutPrefix(rest, ":")
	if !ok || port == "" {
		return "", "", fmt.Errorf("%s is no port", quoteValue(rest))
	}
	return host, port, nil
}

func cutBrackets(s string) (inside, after string, ok bool) {
	rest, ok := strings.CutPrefix(s, "[")
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, "]")
}

// validHost accepts what a DNS name or an IPv4 address is written with.
func validHost(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_'
		if !ok {
			return false
		}
	}
	return true
}

func badAddress(s, why string) error {
	return fmt.Errorf("login: address %s: %s; want host[:port][,tag], IPv6 in brackets", quoteValue(s), why)
}

// Portal is host:port, as a dialler takes it.
func (a Address) Portal() string {
	host := a.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + strconv.Itoa(int(a.Port))
}

// String is the value as the key carries it; ParseAddress reads it back.
func (a Address) String() string {
	if !a.HasTag {
		return a.Portal()
	}
	return a.Portal() + "," + strconv.Itoa(int(a.Tag))
}
