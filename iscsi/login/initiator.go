package login

import (
	"context"
	"fmt"

	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// Initiate logs in as an initiator over a fresh connection and returns what was
// agreed. On success the next byte to be read from rw is the first of the full
// feature phase, and no deadline is set. On failure the connection is of no
// further use, and the caller closes it.
//
// ctx bounds the whole login; without a deadline of its own it is
// DefaultTimeout.
//
// Errors are found with errors.As: *Error, refused by the target;
// *RedirectError, to be followed by the caller; *ProtocolError and *KeyError,
// the target breaks the protocol; *IOError, the connection failed;
// *InterruptedError, ctx ended first.
func Initiate(ctx context.Context, rw Conn, cfg *InitiatorConfig) (*Params, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	hs := &initiatorState{
		wire: wire{side: initiator, rw: rw},
		cfg:  cfg,
		neg:  newNegotiation(initiator, cfg.operands()),
	}
	if err := hs.guard(ctx, hs.handshake); err != nil {
		return nil, err
	}
	return hs.params(), nil
}

// initiatorState holds the variables of one login.
type initiatorState struct {
	wire
	cfg *InitiatorConfig
	neg *negotiation

	stage pdu.Stage         // the current one, CSG
	resp  pdu.LoginResponse // the last one that was read
	heard bool              // resp is set
}

// initiatorTag is the ITT of every Login Request: one login is one task, and
// the first on its connection.
const initiatorTag = 0

// handshake requires hs.cfg, hs.neg and the wire to be set. It goes through the
// stages of RFC 7143, section 6.3, none of which it leaves out: a target may
// want the security stage, and none refuses it.
func (hs *initiatorState) handshake() error {
	hs.introduce()
	if err := hs.security(); err != nil {
		return err
	}
	if err := hs.operational(); err != nil {
		return err
	}
	return hs.checkSession()
}

// introduce says who we are and what we want: it must be in the first request.
func (hs *initiatorState) introduce() {
	n, cfg := hs.neg, hs.cfg
	n.discovery = cfg.SessionType == Discovery
	n.joins = cfg.TSIH != 0
	n.declare(keyInitiatorName, cfg.InitiatorName)
	if cfg.InitiatorAlias != "" {
		n.declare(keyInitiatorAlias, cfg.InitiatorAlias)
	}
	if cfg.TargetName != "" {
		n.declare(keyTargetName, cfg.TargetName)
	}
	if !n.joins {
		n.declare(keySessionType, cfg.SessionType.String())
	}
}

// security agrees on an AuthMethod and goes through with it.
func (hs *initiatorState) security() error {
	hs.stage = pdu.StageSecurity
	hs.neg.offer(keyAuthMethod)
	moved, err := hs.round(pdu.StageOperational, hs.cfg.Auth == nil)
	if err != nil {
		return err
	}
	if err := hs.neg.checkAnswered(); err != nil {
		return err
	}
	if method := hs.neg.value(keyAuthMethod); method != valueNone {
		if moved, err = hs.authenticate(method); err != nil {
			return err
		}
	}
	for !moved {
		hs.neg.refuseForeign()
		if moved, err = hs.round(pdu.StageOperational, true); err != nil {
			return err
		}
	}
	return nil
}

// authenticate lets the Authenticator talk until the target lets us go on.
func (hs *initiatorState) authenticate(method string) (moved bool, err error) {
	for {
		out, last, err := hs.cfg.Auth.Step(method, hs.neg.takeForeign())
		if err != nil {
			return false, fmt.Errorf("login: authentication by %s: %w", method, err)
		}
		if moved {
			if len(out) > 0 {
				return false, hs.side.violation("ended the security stage before the authentication by %s was complete", method)
			}
			return true, nil
		}
		hs.neg.out = append(hs.neg.out, out...)
		if moved, err = hs.round(pdu.StageOperational, last); err != nil {
			return false, err
		}
	}
}

// operational offers and declares all our keys, and answers what the target
// offers, until it lets us into the full feature phase.
func (hs *initiatorState) operational() error {
	hs.stage = pdu.StageOperational
	hs.propose()
	for moved := false; !moved; {
		var err error
		if moved, err = hs.round(pdu.StageFullFeature, true); err != nil {
			return err
		}
		hs.neg.refuseForeign()
	}
	return hs.neg.checkAnswered()
}

// propose puts every key for which we have a value of our own into the next
// request, in the order of the table.
func (hs *initiatorState) propose() {
	for i := range keys {
		k := &keys[i]
		_, ours := hs.neg.own[k.name]
		switch {
		case !ours || k.phase&inOperational == 0 || hs.neg.excludes(k):
		case k.result == nil:
			hs.neg.declare(k.name, hs.neg.own[k.name])
		default:
			hs.neg.offer(k.name)
		}
	}
}

// round says what the negotiation has to say, with the wish to move on to the
// next stage or without, and hears the answer. It reports whether the target
// consented.
func (hs *initiatorState) round(next pdu.Stage, transit bool) (moved bool, err error) {
	if err := hs.send(next, transit); err != nil {
		return false, err
	}
	pairs, err := hs.receive(next, transit)
	if err != nil {
		return false, err
	}
	for _, p := range pairs {
		if err := hs.neg.receive(phaseOf(hs.stage), p); err != nil {
			return false, err
		}
	}
	if hs.resp.Transit && len(hs.neg.out) > 0 {
		return false, hs.side.violation("offered %s and left the stage without our answer", hs.neg.out[0].Key)
	}
	return hs.resp.Transit, nil
}

// send sends the text that the negotiation has for the target. What does not
// fit into one PDU is continued, each part acknowledged by an empty response.
// RFC 7143, section 6.2.
func (hs *initiatorState) send(next pdu.Stage, transit bool) error {
	text := appendPairs(nil, hs.neg.take())
	for segment, last := range segments(text, hs.cfg.textSegment) {
		req := hs.request()
		req.Continue = !last
		if last && transit {
			req.Transit, req.NSG = true, next
		}
		if err := hs.writeRequest(req, segment); err != nil || last {
			return err
		}
		if err := hs.readAcknowledgement(); err != nil {
			return err
		}
	}
	return nil
}

// receive reads a whole text; asked says that our request had the T bit.
func (hs *initiatorState) receive(next pdu.Stage, asked bool) ([]Pair, error) {
	var text []byte
	for {
		data, err := hs.readResponse(next, asked)
		if err != nil {
			return nil, err
		}
		text = append(text, data...)
		if !hs.resp.Continue {
			return hs.parseText(text)
		}
		asked = false
		if err := hs.writeRequest(hs.request(), nil); err != nil {
			return nil, err
		}
	}
}

func (hs *initiatorState) request() *pdu.LoginRequest {
	req := &pdu.LoginRequest{
		CSG:   hs.stage,
		ISID:  hs.cfg.ISID,
		TSIH:  hs.cfg.TSIH,
		ITT:   initiatorTag,
		CID:   hs.cfg.CID,
		CmdSN: hs.cfg.CmdSN,
	}
	if hs.heard {
		req.ExpStatSN = hs.resp.StatSN.Next()
	}
	return req
}

func (hs *initiatorState) writeRequest(req *pdu.LoginRequest, data []byte) error {
	var bhs pdu.BHS
	req.Encode(&bhs)
	return hs.write(hs.during(), &bhs, data)
}

func (hs *initiatorState) during() string { return "the " + stageName(hs.stage) }

// params is the outcome; it requires the handshake to have succeeded.
func (hs *initiatorState) params() *Params {
	tag, hasTag := hs.neg.declared[keyTargetPortalGroupTag]
	p := &Params{
		InitiatorName:        hs.cfg.InitiatorName,
		TargetName:           hs.cfg.TargetName,
		TargetAlias:          hs.neg.declared[keyTargetAlias],
		SessionType:          hs.cfg.SessionType,
		ISID:                 hs.cfg.ISID,
		TSIH:                 hs.resp.TSIH,
		CID:                  hs.cfg.CID,
		TargetPortalGroupTag: uint16(toNumber(tag)),
		HasPortalGroup:       hasTag,
		CmdSN:                hs.cfg.CmdSN,
		ExpStatSN:            hs.resp.StatSN.Next(),
		ExpCmdSN:             hs.resp.ExpCmdSN,
		MaxCmdSN:             hs.resp.MaxCmdSN,
	}
	p.outcome(hs.neg)
	return p
}
