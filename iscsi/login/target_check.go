package login

import (
	"errors"
	"slices"
	"strconv"

	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// What a target checks of every Login Request, RFC 7143 section 11.12, and what
// it says in a Login Response.

// readText reads a whole text; each part but the last is acknowledged by an
// empty response.
func (hs *targetState) readText() ([]Pair, error) {
	var text []byte
	for {
		data, err := hs.readRequest()
		if err != nil {
			return nil, err
		}
		text = append(text, data...)
		if !hs.req.Continue {
			return hs.parseText(text)
		}
		if err := hs.writeResponse(hs.response(), nil); err != nil {
			return nil, err
		}
	}
}

// readRequest reads one request into hs.req and returns its text.
func (hs *targetState) readRequest() ([]byte, error) {
	if err := hs.readHeader(hs.during()); err != nil {
		return nil, err
	}
	var req pdu.LoginRequest
	if err := req.Decode(&hs.bhs); err != nil {
		return nil, hs.side.violation("sent what is no valid Login Request: %v", err)
	}
	if hs.req == nil {
		hs.first, hs.stage = req, req.CSG
	}
	hs.req = &req
	data, err := hs.readData(hs.during())
	if err != nil {
		return nil, err
	}
	return data, hs.checkRequest()
}

func (hs *targetState) checkRequest() error {
	req, first := hs.req, &hs.first
	switch {
	case req.VersionMin > 0:
		v := hs.side.violation("speaks version %d of iSCSI or later, we speak version 0", req.VersionMin)
		v.status = pdu.LoginUnsupportedVersion
		return v
	case req.ITT != first.ITT:
		return hs.side.violation("changed the task tag from %#x to %#x", first.ITT, req.ITT)
	case req.ISID != first.ISID:
		return hs.side.violation("changed the ISID from %x to %x", first.ISID, req.ISID)
	case req.TSIH != first.TSIH:
		return hs.side.violation("changed the TSIH from %#x to %#x", first.TSIH, req.TSIH)
	case req.CID != first.CID:
		return hs.side.violation("changed the CID from %d to %d", first.CID, req.CID)
	case req.CmdSN != first.CmdSN:
		return hs.side.violation("changed the CmdSN from %d to %d", first.CmdSN, req.CmdSN)
	case req.CSG != hs.stage:
		return hs.side.violation("is in the %s, we are in the %s", stageName(req.CSG), stageName(hs.stage))
	case req.CSG == pdu.StageFullFeature:
		return hs.side.violation("began the login in the full feature phase")
	case req.Transit && req.NSG <= req.CSG:
		return hs.side.violation("wants to move from the %s to the %s", stageName(req.CSG), stageName(req.NSG))
	}
	return nil
}

// identify takes the declarations of the first request, which must say who asks
// for what, decides whether it may, and returns the other pairs.
func (hs *targetState) identify(pairs []Pair) (rest []Pair, err error) {
	hs.neg.joins = hs.first.TSIH != 0
	for _, p := range pairs {
		if k := lookup(p.Key); k == nil || k.phase != anyStage {
			rest = append(rest, p)
		} else if err := hs.neg.receive(phaseOf(hs.stage), p); err != nil {
			return nil, err
		}
	}
	if err := hs.readIdentity(); err != nil {
		return nil, err
	}
	if err := hs.cfg.Authorize(hs.id); err != nil {
		return nil, err
	}
	if err := hs.prepareAuth(); err != nil {
		return nil, err
	}
	if hs.id.SessionType == Normal {
		hs.neg.declare(keyTargetPortalGroupTag, strconv.Itoa(int(hs.portalGroup())))
	}
	if alias := hs.alias(); alias != "" {
		hs.neg.declare(keyTargetAlias, alias)
	}
	return rest, nil
}

func (hs *targetState) readIdentity() error {
	said := hs.neg.declared
	hs.id = Request{
		InitiatorName:  said[keyInitiatorName],
		InitiatorAlias: said[keyInitiatorAlias],
		TargetName:     said[keyTargetName],
		ISID:           hs.first.ISID,
		TSIH:           hs.first.TSIH,
		CID:            hs.first.CID,
	}
	switch t := hs.neg.peerValue(keySessionType); t {
	case Normal.String():
	case Discovery.String():
		hs.id.SessionType, hs.neg.discovery = Discovery, true
	default:
		return hs.sayWhy(pdu.LoginSessionType, "asks for a session of the unknown type %s", quoteValue(t))
	}
	if hs.id.InitiatorName == "" {
		return hs.sayWhy(pdu.LoginMissingParameter, "did not tell its InitiatorName in the first request")
	}
	if hs.id.TargetName == "" && hs.id.SessionType == Normal {
		return hs.sayWhy(pdu.LoginMissingParameter, "did not tell the TargetName in the first request")
	}
	if err := validName(keyInitiatorName, hs.id.InitiatorName); err != nil {
		return Refuse(pdu.LoginInitiatorError, err)
	}
	return nil
}

func (hs *targetState) sayWhy(status pdu.LoginStatus, format string, args ...any) error {
	v := hs.side.violation(format, args...)
	v.status = status
	return v
}

func (hs *targetState) prepareAuth() (err error) {
	if hs.auth, err = hs.cfg.Auth(hs.id); err != nil {
		return err
	}
	hs.neg.own[keyAuthMethod] = joinMethods(hs.auth)
	return nil
}

func accepts(a Authenticator, method string) bool {
	return slices.Contains(authMethods(a), method)
}

// checkOutcome holds the outcome against what was forced, and against the one
// rule between two keys.
func (hs *targetState) checkOutcome() error {
	for i := range keys {
		k := &keys[i]
		forced, ok := hs.cfg.Keys[k.name]
		if !ok || hs.neg.excludes(k) {
			continue
		}
		v := hs.neg.value(k.name)
		if k.result(v, forced) != v {
			return hs.neg.fault(k, v, "this target insists on "+forced)
		}
	}
	return hs.checkBursts()
}

// checkBursts: RFC 7143, section 13.14.
func (hs *targetState) checkBursts() error {
	first, err1 := parseNumber(hs.neg.proposed[keyFirstBurstLength])
	burst, err2 := parseNumber(hs.neg.proposed[keyMaxBurstLength])
	if err1 == nil && err2 == nil && first > burst {
		return hs.neg.fault(lookup(keyFirstBurstLength), hs.neg.proposed[keyFirstBurstLength],
			"it is more than MaxBurstLength="+hs.neg.proposed[keyMaxBurstLength])
	}
	return nil
}

func (hs *targetState) response() *pdu.LoginResponse {
	return &pdu.LoginResponse{
		CSG:      hs.stage,
		ISID:     hs.req.ISID,
		TSIH:     hs.req.TSIH,
		ITT:      hs.req.ITT,
		StatSN:   hs.statSN,
		ExpCmdSN: hs.first.CmdSN,
		MaxCmdSN: hs.maxCmdSN(),
	}
}

func (hs *targetState) writeResponse(resp *pdu.LoginResponse, data []byte) error {
	var bhs pdu.BHS
	resp.Encode(&bhs)
	hs.statSN = hs.statSN.Next()
	return hs.write(hs.during(), &bhs, data)
}

// refuse tells the initiator why its login ends, if it can be told, and returns
// the error for our caller.
func (hs *targetState) refuse(err error) error {
	if _, broken := errors.AsType[*IOError](err); err == nil || broken || hs.req == nil {
		return err
	}
	resp := hs.response()
	if r, ok := errors.AsType[*RedirectError](err); ok {
		status := pdu.LoginMovedTemporarily
		if r.Permanent {
			status = pdu.LoginMovedPermanently
		}
		resp.SetLoginStatus(status)
		_ = hs.writeResponse(resp, pdu.AppendText(nil, keyTargetAddress, r.Address.String()))
		return err
	}
	e := refusal(err)
	e.InitiatorName, e.TargetName = hs.id.InitiatorName, hs.id.TargetName
	resp.SetLoginStatus(e.Status())
	_ = hs.writeResponse(resp, nil)
	return e
}

func (hs *targetState) maxCmdSN() pdu.Serial { return hs.first.CmdSN.Add(hs.cfg.Window - 1) }

// portalGroup and alias are what a normal session is told.
func (hs *targetState) portalGroup() uint16 {
	if hs.id.SessionType == Discovery {
		return 0
	}
	return hs.cfg.PortalGroupTag
}

func (hs *targetState) alias() string {
	if hs.id.SessionType == Discovery {
		return ""
	}
	return hs.cfg.TargetAlias
}

func (hs *targetState) during() string {
	if hs.req == nil {
		return "the wait for the first Login Request"
	}
	return "the " + stageName(hs.stage)
}
