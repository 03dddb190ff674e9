package login

import "strings"

// An Authenticator takes one side of the security stage. The login knows
// nothing of a method but its name: the method's own keys (CHAP_A, ...) pass
// through Step, in either direction.
type Authenticator interface {
	// Methods lists the AuthMethod values that we accept, the most wanted
	// first. "None" among them means that a peer without the method will do.
	Methods() []string

	// Step takes the peer's pairs and returns ours. The initiator begins: its
	// first call has no pairs. last says that no further pairs of the peer are
	// needed: the target then lets the stage end; the initiator asks for its
	// end, and is called once more with what came with the consent, if only to
	// find that the proof it waited for is missing. An error ends the login: a
	// peer that failed to prove itself.
	//
	// Step is not called where the method None was chosen.
	Step(method string, in []Pair) (out []Pair, last bool, err error)
}

func authMethods(a Authenticator) []string {
	if a == nil {
		return []string{valueNone}
	}
	return a.Methods()
}

func joinMethods(a Authenticator) string { return strings.Join(authMethods(a), ",") }
