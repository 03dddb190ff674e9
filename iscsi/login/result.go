package login

import (
	"slices"
	"strings"
)

// A result function joins what one party proposed with what the other one
// would have proposed: the outcome of a negotiated key. Operands are canonical
// values. Every function here is such that the answer b to an offer a is legal
// if and only if f(a, b) == b, which is how a proposer checks what it is told.
// RFC 7143, section 6.2.
type result func(offer, own string) string

func and(offer, own string) string {
	if offer == valueYes && own == valueYes {
		return valueYes
	}
	return valueNo
}

func or(offer, own string) string {
	if offer == valueYes || own == valueYes {
		return valueYes
	}
	return valueNo
}

func minimum(offer, own string) string {
	if toNumber(own) < toNumber(offer) {
		return own
	}
	return offer
}

func maximum(offer, own string) string {
	if toNumber(own) > toNumber(offer) {
		return own
	}
	return offer
}

// choose takes the first of the proposer's list that the responder has too:
// the order of preference is the proposer's alone. RFC 7143, section 6.2.1.
func choose(offer, own string) string {
	accepted := strings.Split(own, ",")
	for v := range strings.SplitSeq(offer, ",") {
		if slices.Contains(accepted, v) {
			return v
		}
	}
	return valueReject
}

// retired answers the keys of RFC 3720 that RFC 7143 took back.
func retired(_, _ string) string { return valueReject }

// settledBy says that an offer is the outcome whatever the answer is: No of an AND, Yes of an OR. Then the answer is optional, and the
// Linux kernel's target gives none. RFC 7143, section 6.2.2.
func (k *key) settledBy(offer string) bool {
	return k.kind == boolean && k.result(offer, valueYes) == k.result(offer, valueNo)
}
