package login

import (
	"context"
	"errors"

	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// Accept answers a login as a target over a fresh connection and returns what
// was agreed, from the target's view. It is strict: an initiator that breaks a
// rule is refused, with the status that says so, and the rule is in the error.
// On success the next byte to be read from rw is the first of the full feature
// phase, and no deadline is set. On failure the caller closes the connection.
//
// ctx bounds the whole login; without a deadline of its own it is
// DefaultTimeout.
//
// Errors are found with errors.As: *Error, we refused, and its Err is the
// reason; *RedirectError, we sent the initiator elsewhere; *ProtocolError and
// *KeyError, the initiator breaks the protocol; *IOError, the connection
// failed; *InterruptedError, ctx ended first.
func Accept(ctx context.Context, rw Conn, cfg *TargetConfig) (*Params, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	hs := &targetState{
		wire:   wire{side: target, rw: rw},
		cfg:    cfg,
		neg:    newNegotiation(target, cfg.operands()),
		statSN: cfg.StatSN,
	}
	err := hs.guard(ctx, func() error {
		return hs.refuse(hs.handshake())
	})
	if err != nil {
		return nil, err
	}
	return hs.params(), nil
}

// targetState holds the variables of one login.
type targetState struct {
	wire
	cfg *TargetConfig
	neg *negotiation

	id    Request           // set by identify
	auth  Authenticator     // set by identify; nil: none
	first pdu.LoginRequest  // what every later request must repeat
	req   *pdu.LoginRequest // the last one that was read; nil: none yet

	stage    pdu.Stage // the current one, CSG
	method   string    // AuthMethod; "" until it is agreed
	proved   bool      // the initiator passed the authentication
	proposed bool      // our own keys are out
	tsih     uint16    // set with the last response
	statSN   pdu.Serial
}

// handshake requires hs.cfg, hs.neg and the wire to be set. The initiator
// chooses with which stage to begin, and whether to leave the operational stage
// out; RFC 7143, section 6.3.
func (hs *targetState) handshake() error {
	pairs, err := hs.readText()
	if err != nil {
		return err
	}
	if pairs, err = hs.identify(pairs); err != nil {
		return err
	}
	if hs.stage == pdu.StageSecurity {
		if err := hs.run(pairs, hs.security); err != nil {
			return err
		}
		if hs.stage == pdu.StageFullFeature {
			return nil
		}
		if pairs, err = hs.readText(); err != nil {
			return err
		}
	}
	return hs.run(pairs, hs.operational)
}

// run answers requests until the initiator leaves the stage. step takes the
// text of a request and says whether we, too, are ready to leave.
func (hs *targetState) run(pairs []Pair, step func([]Pair) (ready bool, err error)) error {
	for {
		for _, p := range pairs {
			if err := hs.neg.receive(phaseOf(hs.stage), p); err != nil {
				return err
			}
		}
		ready, err := step(hs.neg.takeForeign())
		if err != nil {
			return err
		}
		moved, err := hs.answer(ready)
		if err != nil || moved {
			return err
		}
		if pairs, err = hs.readText(); err != nil {
			return err
		}
	}
}

// security agrees on an AuthMethod and lets the Authenticator judge.
func (hs *targetState) security(foreign []Pair) (ready bool, err error) {
	fresh := hs.method == ""
	hs.method = hs.neg.value(keyAuthMethod)
	if fresh && hs.method == "" && len(hs.neg.proposed[keyAuthMethod]) > 0 {
		return false, Refuse(pdu.LoginAuthenticationFailed,
			hs.side.violation("offered none of our authentication methods: %s", quoteValue(hs.neg.proposed[keyAuthMethod])))
	}
	if hs.method == "" || hs.method == valueNone {
		hs.neg.foreign = foreign
		hs.neg.refuseForeign()
		return true, hs.checkProved(hs.req.Transit)
	}
	// The pairs of the method begin in the request after the agreement.
	if fresh || hs.proved {
		hs.neg.foreign = foreign
		hs.neg.refuseForeign()
		return hs.proved, nil
	}
	out, last, err := hs.auth.Step(hs.method, foreign)
	if err != nil {
		return false, Refuse(pdu.LoginAuthenticationFailed, err)
	}
	hs.neg.out = append(hs.neg.out, out...)
	hs.proved = last
	return last, nil
}

// checkProved refuses an initiator that leaves the security stage, or leaves it
// out, where it has to prove who it is.
func (hs *targetState) checkProved(leaving bool) error {
	if !leaving || hs.auth == nil || hs.proved || accepts(hs.auth, valueNone) {
		return nil
	}
	return Refuse(pdu.LoginAuthenticationFailed, hs.side.violation("wants to log in without authentication"))
}

// operational answers offers, then makes those of our own that are forced and
// were not negotiated.
func (hs *targetState) operational(foreign []Pair) (ready bool, err error) {
	if err := hs.checkProved(true); err != nil {
		return false, err
	}
	hs.neg.foreign = foreign
	hs.neg.refuseForeign()
	if !hs.proposed {
		hs.proposed = true
		hs.neg.declare(keyMaxRecvDataSegmentLength, hs.neg.own[keyMaxRecvDataSegmentLength])
		hs.propose()
	}
	return len(hs.neg.pending) == 0, nil
}

func (hs *targetState) propose() {
	for i := range keys {
		if hs.mustOffer(&keys[i]) {
			hs.neg.offer(keys[i].name)
		}
	}
}

// mustOffer says that a forced key would stay at a default that breaks it.
func (hs *targetState) mustOffer(k *key) bool {
	forced, ok := hs.cfg.Keys[k.name]
	return ok && !hs.neg.seen(k) && !hs.neg.excludes(k) && k.result(k.def, forced) != k.def
}

func (hs *targetState) mustOfferAny() bool {
	for i := range keys {
		if hs.mustOffer(&keys[i]) {
			return true
		}
	}
	return false
}

// answer says what the negotiation has to say, and moves on if the initiator
// asked for it and we are ready.
func (hs *targetState) answer(ready bool) (moved bool, err error) {
	text := appendPairs(nil, hs.neg.take())
	next := hs.next()
	for segment, last := range segments(text, hs.cfg.TextSegment) {
		if !last {
			if err := hs.continueAnswer(segment); err != nil {
				return false, err
			}
			continue
		}
		if !ready || !hs.req.Transit {
			return false, hs.writeResponse(hs.response(), segment)
		}
		return true, hs.move(next, segment)
	}
	return false, nil
}

// move sends the response that ends the stage.
func (hs *targetState) move(next pdu.Stage, text []byte) error {
	resp := hs.response()
	resp.Transit, resp.NSG = true, next
	if next == pdu.StageFullFeature {
		if err := hs.settle(); err != nil {
			return err
		}
		resp.TSIH = hs.tsih
	}
	err := hs.writeResponse(resp, text)
	hs.stage = next
	return err
}

// continueAnswer sends a part of a text and reads the empty request that asks
// for the rest.
func (hs *targetState) continueAnswer(segment []byte) error {
	resp := hs.response()
	resp.Continue = true
	if err := hs.writeResponse(resp, segment); err != nil {
		return err
	}
	data, err := hs.readRequest()
	if err != nil {
		return err
	}
	if len(data) > 0 || hs.req.Continue {
		return hs.side.violation("sent text before our answer was complete")
	}
	return nil
}

// next is the stage to which the initiator asks to move. One that would leave
// the operational stage out has to enter it if we have offers to make there.
func (hs *targetState) next() pdu.Stage {
	if hs.req.NSG == pdu.StageFullFeature && hs.stage == pdu.StageSecurity && hs.mustOfferAny() {
		return pdu.StageOperational
	}
	return hs.req.NSG
}

// settle checks the outcome and gets the session's handle, before the initiator
// is told that it is in.
func (hs *targetState) settle() error {
	if err := hs.checkOutcome(); err != nil {
		return err
	}
	tsih, err := hs.cfg.Session(hs.id)
	if err != nil {
		return err
	}
	if tsih == 0 {
		return Refuse(pdu.LoginTargetError, errors.New("login: no session handle was given"))
	}
	hs.tsih = tsih
	return nil
}

// params is the outcome; it requires the handshake to have succeeded.
func (hs *targetState) params() *Params {
	p := &Params{
		InitiatorName:        hs.id.InitiatorName,
		TargetName:           hs.id.TargetName,
		TargetAlias:          hs.alias(),
		SessionType:          hs.id.SessionType,
		ISID:                 hs.id.ISID,
		TSIH:                 hs.tsih,
		CID:                  hs.id.CID,
		TargetPortalGroupTag: hs.portalGroup(),
		HasPortalGroup:       hs.id.SessionType == Normal,
		CmdSN:                hs.first.CmdSN,
		ExpStatSN:            hs.statSN,
		ExpCmdSN:             hs.first.CmdSN,
		MaxCmdSN:             hs.maxCmdSN(),
	}
	p.outcome(hs.neg)
	return p
}
