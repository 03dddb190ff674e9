package login

import (
	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// What an initiator checks of every Login Response, RFC 7143 section 11.13.

// readResponse reads one response into hs.resp and returns its text. asked says
// that the request before it had the T bit, with next as its NSG.
func (hs *initiatorState) readResponse(next pdu.Stage, asked bool) ([]byte, error) {
	if err := hs.readHeader(hs.during()); err != nil {
		return nil, err
	}
	var resp pdu.LoginResponse
	if err := resp.Decode(&hs.bhs); err != nil {
		return nil, hs.side.violation("sent what is no valid Login Response: %v", err)
	}
	data, err := hs.readData(hs.during())
	if err != nil {
		return nil, err
	}
	// A refusal comes first: how it is framed does not matter any more.
	if resp.StatusClass != pdu.ClassSuccess {
		return nil, hs.refused(&resp, data)
	}
	if err := hs.checkHeader(&resp); err != nil {
		return nil, err
	}
	if err := hs.checkTransit(&resp, next, asked); err != nil {
		return nil, err
	}
	hs.resp, hs.heard = resp, true
	return data, nil
}

// checkHeader checks what a response repeats, and its place in the order.
func (hs *initiatorState) checkHeader(resp *pdu.LoginResponse) error {
	switch {
	case resp.ITT != initiatorTag:
		return hs.side.violation("answered task %#x, ours is %#x", resp.ITT, uint32(initiatorTag))
	case resp.ISID != hs.cfg.ISID:
		return hs.side.violation("answered for ISID %x, ours is %x", resp.ISID, hs.cfg.ISID)
	case resp.VersionActive != 0:
		return hs.side.violation("chose version %d, we offered version 0 only", resp.VersionActive)
	case hs.heard && resp.StatSN != hs.resp.StatSN.Next():
		return hs.side.violation("sent StatSN %d, next is %d", resp.StatSN, hs.resp.StatSN.Next())
	case resp.CSG != hs.stage:
		return hs.side.violation("is in the %s, we are in the %s", stageName(resp.CSG), stageName(hs.stage))
	}
	return nil
}

// checkTransit checks that the target moves on only where and when we asked
// for it. There is no stage between ours and the one that we ask for, so the
// one asked for is the only one that it may choose. RFC 7143, section 6.3.
func (hs *initiatorState) checkTransit(resp *pdu.LoginResponse, next pdu.Stage, asked bool) error {
	switch {
	case !resp.Transit:
		return nil
	case !asked:
		return hs.side.violation("left the %s before we asked for it", stageName(hs.stage))
	case resp.NSG != next:
		return hs.side.violation("moved on to the %s, we asked for the %s", stageName(resp.NSG), stageName(next))
	}
	return nil
}

// readAcknowledgement reads the empty response to a text that goes on.
func (hs *initiatorState) readAcknowledgement() error {
	data, err := hs.readResponse(0, false)
	if err != nil {
		return err
	}
	if len(data) > 0 || hs.resp.Continue {
		return hs.side.violation("answered a text that was not complete yet")
	}
	return nil
}

// checkSession checks the session's handle, which comes with the last response.
func (hs *initiatorState) checkSession() error {
	switch {
	case hs.resp.TSIH == 0:
		return hs.side.violation("completed the login without a session handle (TSIH 0)")
	case hs.cfg.TSIH != 0 && hs.resp.TSIH != hs.cfg.TSIH:
		return hs.side.violation("completed the login to session %#x, we asked for %#x", hs.resp.TSIH, hs.cfg.TSIH)
	}
	return nil
}

// refused turns a status that is no success into its error.
func (hs *initiatorState) refused(resp *pdu.LoginResponse, data []byte) error {
	if resp.StatusClass != pdu.ClassRedirection {
		return &Error{
			Class:         uint8(resp.StatusClass),
			Detail:        resp.StatusDetail,
			InitiatorName: hs.cfg.InitiatorName,
			TargetName:    hs.cfg.TargetName,
		}
	}
	pairs, err := hs.parseText(data)
	if err != nil {
		return err
	}
	for _, p := range pairs {
		if p.Key != keyTargetAddress {
			continue
		}
		a, err := ParseAddress(p.Value)
		if err != nil {
			return hs.side.violation("redirected us to a place that is none: %v", err)
		}
		return &RedirectError{Address: a, Permanent: resp.LoginStatus() == pdu.LoginMovedPermanently}
	}
	return hs.side.violation("redirected us without a TargetAddress")
}
