package login

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// advice says what to do about a status.
var advice = map[pdu.LoginStatus]string{
	pdu.LoginInitiatorError:       "the target took offence at our login; its log says at what",
	pdu.LoginAuthenticationFailed: "check the CHAP user and secret on both sides, and whether the target wants CHAP at all",
	pdu.LoginForbidden:            "allow this initiator name at the target",
	pdu.LoginTargetNotFound:       "check the target name; discovery lists those that the portal has",
	pdu.LoginTargetRemoved:        "the target is gone for good; take it out of the configuration",
	pdu.LoginUnsupportedVersion:   "the target does not speak version 0 of iSCSI, the only one there is",
	pdu.LoginTooManyConnections:   "end other sessions of this initiator at the target, or raise its limit",
	pdu.LoginMissingParameter:     "the target misses a key in our login; its log says which",
	pdu.LoginCannotInclude:        "the session does not reach over this portal; log in with a session of its own",
	pdu.LoginSessionType:          "the portal does not serve this type of session; try another portal",
	pdu.LoginNoSession:            "log in anew, as a new session",
	pdu.LoginInvalidRequest:       "the target took offence at our login; its log says at what",
	pdu.LoginTargetError:          "try again; if it stays, see the target's log",
	pdu.LoginServiceUnavailable:   "the target is starting or stopping; try again",
	pdu.LoginOutOfResources:       "the target has no room for one more session; try again, or end other sessions",
}

// An Error is a login that the target refused with a status of its own.
// Class 2 is the initiator's error, and the same login would fail again; class
// 3 is the target's, and may pass. RFC 7143, section 11.13.5.
type Error struct {
	Class  uint8
	Detail uint8

	InitiatorName string
	TargetName    string // "" in discovery

	Sent bool  // we are the target that refused, not the initiator that was refused
	Err  error // why we refused; may be nil
}

// Refuse makes the error with which a callback of a TargetConfig refuses a
// login.
func Refuse(status pdu.LoginStatus, err error) *Error {
	return &Error{Class: uint8(status >> 8), Detail: uint8(status), Sent: true, Err: err}
}

// Status is class and detail in one.
func (e *Error) Status() pdu.LoginStatus {
	return pdu.LoginStatus(e.Class)<<8 | pdu.LoginStatus(e.Detail)
}

// Temporary says that the same login may succeed later.
func (e *Error) Temporary() bool { return e.Class == 3 }

// Advice says in a few words what to do.
func (e *Error) Advice() string {
	if a, ok := advice[e.Status()]; ok {
		return a
	}
	if e.Temporary() {
		return "try again; if it stays, see the target's log"
	}
	return "see the target's log"
}

func (e *Error) Error() string {
	if e.Sent {
		return e.sentText()
	}
	return fmt.Sprintf("login: the target refused %s: %v (%04x): %s", e.who(), e.Status(), uint16(e.Status()), e.Advice())
}

func (e *Error) sentText() string {
	s := fmt.Sprintf("login: refused %s: %v (%04x)", e.who(), e.Status(), uint16(e.Status()))
	if e.Err != nil {
		s += ": " + strings.TrimPrefix(e.Err.Error(), "login: ")
	}
	return s
}

func (e *Error) who() string {
	who := e.InitiatorName
	if who == "" {
		who = "an unnamed initiator"
	}
	if e.TargetName != "" {
		who += " at " + e.TargetName
	}
	return who
}

func (e *Error) Unwrap() error { return e.Err }

// refusal turns any reason to end a login into the status that says it. What it
// returns is the caller's own.
func refusal(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		own := *e
		own.Sent = true
		return &own
	}
	if e, ok := errors.AsType[*ProtocolError](err); ok {
		return Refuse(e.status, err)
	}
	if _, ok := errors.AsType[*KeyError](err); ok {
		return Refuse(pdu.LoginInitiatorError, err)
	}
	return Refuse(pdu.LoginTargetError, err)
}
