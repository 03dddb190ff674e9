package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/hawser-storage/hawser/iscsi"
	"github.com/hawser-storage/hawser/iscsi/login"
	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/mpio"
)

// reason is why a path does not work, and what to do about it.
type reason struct{ what, advice string }

// explain puts the error of a path's first attempt into the words of somebody who set it up.
func explain(err error, p pathConfig, initiator string, timeout time.Duration) reason {
	if refused, ok := errors.AsType[*login.Error](err); ok {
		return explainLogin(refused, p, initiator)
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return reason{fmt.Sprintf("the name %s cannot be resolved", dns.Name), "check the name, or give the address"}
	}
	switch {
	case errors.Is(err, iscsi.ErrNoLUN):
		return reason{err.Error(), "check the number, or map the LUN to " + initiator}
	case errors.Is(err, syscall.ECONNREFUSED):
		return reason{"connection refused", "start the target, or check address and port"}
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return reason{"no route to it", "check the address and this host's network"}
	case isTimeout(err):
		return reason{fmt.Sprintf("no answer within %v", timeout), "check the address, firewalls on the way, and that an iSCSI target listens there"}
	case errors.Is(err, errNothingHeard):
		return reason{"connected, and then no answer", "see the target's log"}
	}
	return reason{err.Error(), "see the target's log"}
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout() || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}

func explainLogin(e *login.Error, p pathConfig, initiator string) reason {
	switch e.Status() {
	case pdu.LoginTargetNotFound:
		return reason{"it has no target " + p.target,
			"check the target's name; some targets also say so to an initiator that is not allowed: the name to allow is " + initiator}
	case pdu.LoginForbidden:
		return reason{"the target does not give access to " + initiator, "allow this name at the target; 'hawser iqn' prints it"}
	case pdu.LoginAuthenticationFailed:
		return reason{"the target wants authentication of " + initiator, "this build logs in without CHAP: allow that at the target for this name"}
	}
	return reason{fmt.Sprintf("the target refused the login: %v", e.Status()), e.Advice()}
}

// explainIdentity says that a path leads elsewhere.
func explainIdentity(p mpio.PathStatus) error {
	e, ok := errors.AsType[*mpio.IdentityError](p.Reason)
	if !ok {
		return fmt.Errorf("path %s: %w", p.Path, p.Reason)
	}
	return e
}
