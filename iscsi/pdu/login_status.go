package pdu

import "fmt"

// StatusClass says who is to act on a login's status (RFC 7143 11.13.5).
type StatusClass uint8

// The status classes.
const (
	ClassSuccess        StatusClass = 0
	ClassRedirection    StatusClass = 1 // go to the address in TargetAddress
	ClassInitiatorError StatusClass = 2 // do not try again unchanged
	ClassTargetError    StatusClass = 3 // the same login may succeed later
)

// String returns the class's name.
func (c StatusClass) String() string {
	return name(c, []string{"success", "redirection", "initiator error", "target error"}, "status class")
}

// LoginStatus is a Status-Class, the high byte, and its Status-Detail (RFC 7143 11.13.5).
type LoginStatus uint16

// The login statuses.
const (
	LoginSuccess              LoginStatus = 0x0000
	LoginMovedTemporarily     LoginStatus = 0x0101
	LoginMovedPermanently     LoginStatus = 0x0102
	LoginInitiatorError       LoginStatus = 0x0200
	LoginAuthenticationFailed LoginStatus = 0x0201
	LoginForbidden            LoginStatus = 0x0202
	LoginTargetNotFound       LoginStatus = 0x0203
	LoginTargetRemoved        LoginStatus = 0x0204
	LoginUnsupportedVersion   LoginStatus = 0x0205
	LoginTooManyConnections   LoginStatus = 0x0206
	LoginMissingParameter     LoginStatus = 0x0207
	LoginCannotInclude        LoginStatus = 0x0208
	LoginSessionType          LoginStatus = 0x0209
	LoginNoSession            LoginStatus = 0x020a
	LoginInvalidRequest       LoginStatus = 0x020b
	LoginTargetError          LoginStatus = 0x0300
	LoginServiceUnavailable   LoginStatus = 0x0301
	LoginOutOfResources       LoginStatus = 0x0302
)

// Class returns the Status-Class.
func (s LoginStatus) Class() StatusClass { return StatusClass(s >> 8) }

// String says what the status means, and falls back to its class where the detail is not known.
func (s LoginStatus) String() string {
	switch s {
	case LoginSuccess:
		return "success"
	case LoginMovedTemporarily:
		return "target moved temporarily"
	case LoginMovedPermanently:
		return "target moved permanently"
	case LoginInitiatorError:
		return "initiator error"
	case LoginAuthenticationFailed:
		return "authentication failure"
	case LoginForbidden:
		return "authorization failure: the initiator is not allowed access to the target"
	case LoginTargetNotFound:
		return "target not found"
	case LoginTargetRemoved:
		return "target removed"
	case LoginUnsupportedVersion:
		return "unsupported version"
	case LoginTooManyConnections:
		return "too many connections on this session"
	case LoginMissingParameter:
		return "missing parameter"
	case LoginCannotInclude:
		return "target cannot include the connection in this session"
	case LoginSessionType:
		return "session type not supported"
	case LoginNoSession:
		return "session does not exist"
	case LoginInvalidRequest:
		return "invalid request during login"
	case LoginTargetError:
		return "target error"
	case LoginServiceUnavailable:
		return "service unavailable"
	case LoginOutOfResources:
		return "target out of resources"
	}
	return fmt.Sprintf("%v, detail 0x%02x", s.Class(), uint8(s))
}
