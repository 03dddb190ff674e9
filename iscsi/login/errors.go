package login

import (
	"fmt"
	"strings"

	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// A ProtocolError is a violation of the login's rules: the peer, or the way to
// it, is broken, and trying again does not help.
type ProtocolError struct {
	Peer   string          // who broke the rule: "target" or "initiator"
	Reason string          // what it did, as the rest of a sentence that begins with Peer
	status pdu.LoginStatus // how a target answers it
}

func (e *ProtocolError) Error() string {
	return "login: protocol error: the " + e.Peer + " " + e.Reason
}

// violation reports what the peer did.
func (s side) violation(format string, args ...any) *ProtocolError {
	return &ProtocolError{Peer: s.peer().String(), Reason: fmt.Sprintf(format, args...), status: pdu.LoginInitiatorError}
}

func (n *negotiation) violation(format string, args ...any) *ProtocolError {
	return n.side.violation(format, args...)
}

// A KeyError is a text key that cannot be accepted as the peer sent it.
type KeyError struct {
	Peer    string // who sent it: "target" or "initiator"
	Key     string
	Value   string
	Offer   string // what it answers, if it is an answer
	Reason  string
	Section string // of RFC 7143
}

func (e *KeyError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "login: the %s sent %s=%s", e.Peer, e.Key, quoteValue(e.Value))
	if e.Offer != "" {
		fmt.Fprintf(&b, " in answer to %s", quoteValue(e.Offer))
	}
	fmt.Fprintf(&b, ": %s (RFC 7143, section %s)", e.Reason, e.Section)
	return b.String()
}

// quoteValue keeps a peer's bytes from spoiling a message.
func quoteValue(v string) string {
	const limit = 64
	cut := len(v) > limit
	if cut {
		v = v[:limit]
	}
	q := fmt.Sprintf("%+q", v)
	if q == `"`+v+`"` && v != "" && !strings.Contains(v, " ") {
		q = v
	}
	if cut {
		q += "..."
	}
	return q
}

func (n *negotiation) fault(k *key, value, reason string) *KeyError {
	return &KeyError{Peer: n.side.peer().String(), Key: k.name, Value: value, Reason: reason, Section: k.section}
}

func (n *negotiation) answerFault(k *key, offer, value, reason string) *KeyError {
	e := n.fault(k, value, reason)
	e.Offer = offer
	return e
}

// A RedirectError is the target's order to log in at another address: for this
// once, or for good. The caller follows it, at most MaxRedirects times in a row.
type RedirectError struct {
	Address   Address
	Permanent bool
}

// MaxRedirects is how many redirections in a row a caller should follow.
const MaxRedirects = 3

func (e *RedirectError) Error() string {
	how := "temporarily"
	if e.Permanent {
		how = "permanently"
	}
	return "login: the target moved " + how + " to " + e.Address.String()
}
