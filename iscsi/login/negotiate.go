package login

// One engine negotiates for both sides:
//
//  1. offer and declare put our own keys into out.
//  2. receive takes the peer's keys one by one. A declaration is noted; an
//     answer is checked against our offer; an offer is answered into out.
//  3. value reads the outcome: what was settled, else the default.
//
// All that it knows of a key is the key's line in the table.

// A Pair is one text key with its value.
type Pair struct {
	Key, Value string
}

// maxForeign bounds the keys outside the table that one login may carry.
const maxForeign = 64

type negotiation struct {
	side      side
	discovery bool
	joins     bool // this connection joins a session that exists

	own      map[string]string // our operand of each key; absent: the default
	pending  map[string]string // our offers that wait for their answer
	settled  map[string]string // outcome of the negotiated keys
	declared map[string]string // what the peer declared
	proposed map[string]string // what the peer proposed, as it came
	foreign  []Pair            // keys outside the table, for the caller to take
	nforeign int
	out      []Pair // what we have to say next
}

func newNegotiation(s side, own map[string]string) *negotiation {
	return &negotiation{
		side:     s,
		own:      own,
		pending:  map[string]string{},
		settled:  map[string]string{},
		declared: map[string]string{},
		proposed: map[string]string{},
	}
}

// declare says a key that needs no answer.
func (n *negotiation) declare(name, value string) {
	n.out = append(n.out, Pair{name, value})
}

// offer proposes our value of a key.
func (n *negotiation) offer(name string) {
	v := n.operand(lookup(name))
	n.pending[name] = v
	n.declare(name, v)
}

// take hands over what there is to say.
func (n *negotiation) take() []Pair {
	out := n.out
	n.out = nil
	return out
}

// receive takes one key of the peer in the given stage.
func (n *negotiation) receive(in phase, p Pair) error {
	k := lookup(p.Key)
	if k == nil {
		return n.receiveForeign(p)
	}
	if err := n.permit(k, in, p); err != nil {
		return err
	}
	if offer, ok := n.pending[k.name]; ok {
		return n.receiveAnswer(k, offer, p.Value)
	}
	if n.saidAgain(k, p.Value) {
		return nil
	}
	if n.seen(k) && !k.repeats {
		return n.fault(k, p.Value, "it was sent before in this login, and a key is sent once")
	}
	if k.result == nil {
		return n.receiveDeclaration(k, p.Value)
	}
	n.receiveOffer(k, p.Value)
	return nil
}

// permit checks who sends a key, and when.
func (n *negotiation) permit(k *key, in phase, p Pair) error {
	switch {
	case k.senders&n.side.peer() == 0:
		return n.fault(k, p.Value, "only the "+k.senders.String()+" sends this key")
	case k.phase&in == 0:
		return n.fault(k, p.Value, "this key does not belong in this stage")
	case k.leading && n.joins:
		return n.fault(k, p.Value, "this key belongs to the first connection of a session")
	}
	return nil
}

// excludes says that this session has no use for a key: in discovery, or on a
// connection that joins a session.
func (n *negotiation) excludes(k *key) bool {
	return k.normal && n.discovery || k.leading && n.joins
}

// saidAgain says that the peer repeats, word for word, what it declared for any
// stage: its name, the target's portal group. RFC 7143 forbids it, libiscsi does
// it in every request of the security stage, and it cannot be misunderstood.
func (n *negotiation) saidAgain(k *key, value string) bool {
	said, ok := n.declared[k.name]
	return ok && k.phase == anyStage && said == value
}

func (n *negotiation) seen(k *key) bool {
	_, declared := n.declared[k.name]
	_, settled := n.settled[k.name]
	return declared || settled
}

func (n *negotiation) receiveForeign(p Pair) error {
	n.nforeign++
	if n.nforeign > maxForeign {
		return n.violation("sent more than %d unknown keys", maxForeign)
	}
	n.foreign = append(n.foreign, p)
	return nil
}

// refuseForeign answers the keys that nobody took. A NotUnderstood is an
// answer itself and gets none, or two parties would go on for ever.
func (n *negotiation) refuseForeign() {
	for _, p := range n.foreign {
		if p.Value != valueNotUnderstood {
			n.declare(p.Key, valueNotUnderstood)
		}
	}
	n.foreign = nil
}

func (n *negotiation) receiveDeclaration(k *key, value string) error {
	v, err := k.canonical(value)
	if err != nil {
		return n.fault(k, value, err.Error())
	}
	n.declared[k.name] = v
	return nil
}

// receiveAnswer checks an answer against the offer: an outcome that our offer
// does not allow is the peer's error.
func (n *negotiation) receiveAnswer(k *key, offer, value string) error {
	delete(n.pending, k.name)
	switch value {
	case valueReject, valueNotUnderstood:
		// The key stays at its default, which must then be one that we
		// offered. RFC 7143, section 6.2.
		if k.result(offer, k.def) != k.def {
			return n.answerFault(k, offer, value, "it is needed, and the default will not do")
		}
		n.settled[k.name] = k.def
		return nil
	case valueIrrelevant:
		n.settled[k.name] = k.def
		return nil
	}
	v, err := k.canonical(value)
	if err != nil {
		return n.answerFault(k, offer, value, err.Error())
	}
	if k.result(offer, v) != v {
		return n.answerFault(k, offer, value, "our offer does not allow it")
	}
	n.settled[k.name] = v
	return nil
}

// receiveOffer answers the peer's offer. A value that cannot be is rejected,
// and the key stays at its default.
func (n *negotiation) receiveOffer(k *key, value string) {
	n.proposed[k.name] = value
	n.settled[k.name] = k.def
	if n.discovery && k.normal {
		n.declare(k.name, valueIrrelevant)
		return
	}
	v, err := k.canonical(value)
	if err != nil {
		n.declare(k.name, valueReject)
		return
	}
	answer := k.result(v, n.operand(k))
	n.declare(k.name, answer)
	if answer != valueReject {
		n.settled[k.name] = answer
	}
}

func (n *negotiation) operand(k *key) string {
	if v, ok := n.own[k.name]; ok {
		return v
	}
	return k.def
}

// value is the outcome of a negotiated key.
func (n *negotiation) value(name string) string {
	if v, ok := n.settled[name]; ok {
		return v
	}
	return lookup(name).def
}

// peerValue is what a declared key stands at: the peer's word, or the default.
func (n *negotiation) peerValue(name string) string {
	if v, ok := n.declared[name]; ok {
		return v
	}
	return lookup(name).def
}

// takeForeign hands over the keys outside the table.
func (n *negotiation) takeForeign() []Pair {
	foreign := n.foreign
	n.foreign = nil
	return foreign
}

// checkAnswered requires that the peer answered all that we offered, but for offers that settle a key by themselves.
func (n *negotiation) checkAnswered() error {
	for i := range keys {
		k := &keys[i]
		offer, ok := n.pending[k.name]
		switch {
		case !ok:
		case k.settledBy(offer):
			delete(n.pending, k.name)
			n.settled[k.name] = offer
		default:
			return n.violation("did not answer %s=%s", k.name, offer)
		}
	}
	return nil
}
