package iscsi

import (
	"fmt"
	"time"

	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// onAsync does what the target asks or announces (RFC 7143, section 11.9).
func (c *conn) onAsync(p *pdu.Async) error {
	if err := c.window.update(p.ExpCmdSN, p.MaxCmdSN); err != nil {
		return err
	}
	if err := c.window.status(p.StatSN); err != nil {
		return err
	}
	within := time.Duration(p.Parameter3) * time.Second
	switch p.Event {
	case pdu.AsyncSCSI:
		c.asyncSense(p)
	case pdu.AsyncLogout, pdu.AsyncNegotiate: // what is negotiated is settled by logging in again
		c.s.log.Info("the target asks for a logout", "within", within)
		c.leave(ErrLoggedOut, within)
	case pdu.AsyncDropConnection, pdu.AsyncDropSession:
		return fmt.Errorf("%w: announced as %v", ErrClosed, p.Event)
	default:
		c.s.log.Info("asynchronous message", "event", p.Event.String())
	}
	return nil
}

// asyncSense is an event of the unit's, outside any command: AER's heir.
func (c *conn) asyncSense(p *pdu.Async) {
	sense, ok := scsi.ParseResponseSense(c.rx.control)
	if !ok {
		return
	}
	for _, u := range c.s.luns {
		if u.wire == p.LUN {
			u.hearSense(sense)
		}
	}
}

// onReject ends the connection: what the target does not understand of us will not get better by going on, and at error
// recovery level 0 there is nothing else (RFC 7143, section 7.1.5).
func (c *conn) onReject(p *pdu.Reject) error {
	what := "a PDU"
	if len(c.rx.control) >= pdu.BHSLen {
		what = pdu.OpcodeOf((*pdu.BHS)(c.rx.control)).String()
	}
	return fmt.Errorf("the target rejects %s: %v", what, p.Reason)
}
