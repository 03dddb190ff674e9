package login

import (
	"errors"
	"testing"

	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// What refuses the login says what to do.
func TestRefusals(t *testing.T) {
	who := "login: the target refused iqn.2026-11.io.hawser:host at iqn.2026-11.io.hawser:target: "
	for status, want := range map[pdu.LoginStatus]string{
		0x0200: "initiator error (0200): the target took offence at our login; its log says at what",
		0x0201: "authentication failure (0201): check the CHAP user and secret on both sides, and whether the target wants CHAP at all",
		0x0202: "authorization failure: the initiator is not allowed access to the target (0202): allow this initiator name at the target",
		0x0203: "target not found (0203): check the target name; discovery lists those that the portal has",
		0x0204: "target removed (0204): the target is gone for good; take it out of the configuration",
		0x0205: "unsupported version (0205): the target does not speak version 0 of iSCSI, the only one there is",
		0x0206: "too many connections on this session (0206): end other sessions of this initiator at the target, or raise its limit",
		0x0207: "missing parameter (0207): the target misses a key in our login; its log says which",
		0x0208: "target cannot include the connection in this session (0208): the session does not reach over this portal; log in with a session of its own",
		0x0209: "session type not supported (0209): the portal does not serve this type of session; try another portal",
		0x020a: "session does not exist (020a): log in anew, as a new session",
		0x020b: "invalid request during login (020b): the target took offence at our login; its log says at what",
		0x0300: "target error (0300): try again; if it stays, see the target's log",
		0x0301: "service unavailable (0301): the target is starting or stopping; try again",
		0x0302: "target out of resources (0302): the target has no room for one more session; try again, or end other sessions",
		0x02ff: "initiator error, detail 0xff (02ff): see the target's log",
		0x0377: "target error, detail 0x77 (0377): try again; if it stays, see the target's log",
		0x0900: "status class(9), detail 0x00 (0900): see the target's log",
	} {
		r := goodReplies()[0]
		r.SetLoginStatus(status)
		r.ISID, r.StatSN = [6]byte{}, 0 // nobody needs them in a refusal
		_, err := initiateWith(t, testInitiatorConfig(), false, r)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Status() != status || e.Temporary() != (status>>8 == 3) {
			t.Errorf("%04x: got %#v", uint16(status), err)
			continue
		}
		if got := err.Error(); got != who+want && status.Class() <= pdu.ClassTargetError {
			t.Errorf("%04x:\n got %s\nwant %s", uint16(status), got, who+want)
		}
	}
}

func TestRedirect(t *testing.T) {
	for address, portal := range map[string]string{
		"10.0.0.2":              "10.0.0.2:3260",
		"10.0.0.2:3261,1":       "10.0.0.2:3261",
		"[fe80::1]:860":         "[fe80::1]:860",
		"[2001:db8::1],7":       "[2001:db8::1]:3260",
		"storage.example.com,0": "storage.example.com:3260",
	} {
		for detail := uint8(1); detail <= 2; detail++ {
			r := goodReplies()[0]
			r.StatusClass, r.StatusDetail = 1, detail
			r.text = lines("TargetAlias=x", "TargetAddress="+address)
			_, err := initiateWith(t, testInitiatorConfig(), false, r)
			e, ok := errors.AsType[*RedirectError](err)
			if !ok || e.Address.Portal() != portal || e.Permanent != (detail == 2) {
				t.Fatalf("%s, detail %d: got %v", address, detail, err)
			}
			how := map[uint8]string{1: "temporarily", 2: "permanently"}[detail]
			if want := "login: the target moved " + how + " to " + e.Address.String(); err.Error() != want {
				t.Errorf("got %s, want %s", err, want)
			}
		}
	}
}
