package iscsi

import (
	"fmt"
	"strconv"
	"strings"
)

// MaxLUN is the highest logical unit number that can be addressed.
const MaxLUN = 16383

// URL names a logical unit and the portals that lead to it, as libiscsi writes it, with several portals for several paths:
//
//	iscsi://[user@]host[:port][%interface][,host...]/target-iqn/lun
type URL struct {
	User    string // CHAP name; "" for none
	Portals []Portal
	Target  string // iSCSI name
	LUN     int    // 0 to MaxLUN
}

// ParseURL reads a URL. Secrets do not belong into one, and are refused.
func ParseURL(s string) (*URL, error) {
	rest, ok := strings.CutPrefix(s, "iscsi://")
	if !ok {
		return nil, urlError(s, "it does not begin with iscsi://")
	}
	parts := strings.Split(rest, "/")
	if len(parts) != 3 {
		return nil, urlError(s, "want portals, target and LUN, separated by /")
	}
	u := &URL{Target: parts[1]}
	portals := parts[0]
	if user, after, found := strings.Cut(portals, "@"); found {
		if strings.ContainsAny(user, ":%") {
			return nil, urlError("iscsi://...", "a secret does not belong on the command line: use a secret file")
		}
		u.User, portals = user, after
	}
	for _, field := range strings.Split(portals, ",") {
		p, err := ParsePortal(field)
		if err != nil {
			return nil, urlError(s, err.Error())
		}
		u.Portals = append(u.Portals, p)
	}
	if err := ValidName(u.Target); err != nil {
		return nil, urlError(s, "target: "+err.Error())
	}
	n, err := strconv.ParseUint(parts[2], 10, 32)
	if err != nil || n > MaxLUN {
		return nil, urlError(s, fmt.Sprintf("LUN %q is no number from 0 to %d", parts[2], MaxLUN))
	}
	u.LUN = int(n)
	return u, nil
}

func urlError(s, reason string) error {
	return fmt.Errorf("volume %q: %s; the form is iscsi://[user@]host[:port][%%interface][,host...]/target-iqn/lun", s, reason)
}
