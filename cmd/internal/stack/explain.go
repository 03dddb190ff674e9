package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/iscsi"
	"github.com/hawser-storage/hawser/iscsi/login"
	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/mpio"
)

// reason is why a path does not work, and what to do about it.
type reason struct{ what, advice string }

// explain puts the error of a path's first attempt into the words of somebody who set it up.
func explain(err error, p PathConfig, initiator string, timeout time.Duration) reason {
	if refused, ok := errors.AsType[*login.Error](err); ok {
		return explainLogin(refused, p, initiator)
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return reason{fmt.Sprintf("the name %s cannot be resolved", dns.Name), "check the name, or give the address"}
	}
	switch {
	case errors.Is(err, iscsi.ErrNoLUN):
		_, others, _ := strings.Cut(err.Error(), iscsi.ErrNoLUN.Error())
		return reason{fmt.Sprintf("there is no LUN %d%s", p.LUN, others), "check the number, or map the LUN to " + initiator}
	case errors.Is(err, syscall.ECONNREFUSED):
		return reason{"connection refused", "start the target, or check address and port"}
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return reason{"no route to it", "check the address and this host's network"}
	case errors.Is(err, syscall.ENODEV):
		return reason{"this host has no interface " + p.Portal.Interface, "check what follows % in the URL; 'ip link' lists the interfaces"}
	case isTimeout(err):
		return reason{fmt.Sprintf("no answer within %v", timeout), "check the address, firewalls on the way, and that an iSCSI target listens there"}
	case errors.Is(err, errSilent):
		return reason{"connected, and then no answer", "see the target's log"}
	}
	return reason{err.Error(), "see the target's log"}
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout() || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}

func explainLogin(e *login.Error, p PathConfig, initiator string) reason {
	switch e.Status() {
	case pdu.LoginTargetNotFound:
		return reason{
			"it has no target " + p.Target,
			"check the target's name; some targets also say so to an initiator that is not allowed: the name to allow is " + initiator,
		}
	case pdu.LoginForbidden:
		return reason{"the target does not give access to " + initiator, "allow this name at the target; 'hawser iqn' prints it"}
	case pdu.LoginAuthenticationFailed:
		return reason{"the target wants authentication of " + initiator, "this build logs in without CHAP: allow that at the target for this name"}
	}
	return reason{fmt.Sprintf("the target refused the login: %v", e.Status()), e.Advice()}
}

// explainIdentity says that a path leads elsewhere than another one that is up.
func explainIdentity(paths []mpio.PathStatus, refused int) error {
	e, ok := errors.AsType[*mpio.IdentityError](paths[refused].Reason)
	up := slices.IndexFunc(paths, func(p mpio.PathStatus) bool { return p.State == mpio.StateUp })
	if !ok || up < 0 || e.Field == "" {
		return fmt.Errorf("cannot attach: %w", paths[refused].Reason)
	}
	a, b := identityOf(paths[up].Path, &e.Want), identityOf(paths[refused].Path, &e.Got)
	if up > refused {
		a, b = b, a
	}
	return fmt.Errorf("the paths lead to different volumes: their %s differs: %s; %s: correct the LUN mapping, or attach them one by one", e.Field, a, b)
}

func identityOf(path string, i *blockdev.Info) string {
	return fmt.Sprintf("%s has ID %s, serial %s, %d bytes in blocks of %d", path,
		orNone(i.Identity.ID), orNone(i.Identity.Serial), i.Size, i.BlockSize)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
