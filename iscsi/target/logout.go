package target

import "github.com/hawser-storage/hawser/iscsi/pdu"

// recvLogout answers a Logout Request. The tasks end before the answer, and the connection behind it.
func (c *conn) recvLogout(f *pdu.Frame) {
	var p pdu.LogoutRequest
	if err := p.Decode(f.BHS); err != nil {
		c.violate("%v", err)
		return
	}
	if !c.takeCmdSN(p.Immediate, p.CmdSN, p.ExpStatSN) {
		return
	}
	result := pdu.LogoutClosed
	switch {
	case p.Reason == pdu.LogoutRemoveConnection:
		result = pdu.LogoutNoRecovery
	case p.Reason > pdu.LogoutRemoveConnection:
		c.violate("Logout Request with the reserved reason %d", p.Reason)
		return
	case p.Reason == pdu.LogoutCloseConnection && p.CID != c.par.CID:
		result = pdu.LogoutNoCID
	}
	var b barrier
	if result == pdu.LogoutClosed {
		c.tasks.each(func(t *task) { c.abortInto(t, &b) })
	}
	b.wait(func() { c.answerLogout(&p, result) })
}

func (c *conn) answerLogout(p *pdu.LogoutRequest, result pdu.LogoutResult) {
	if c.closed {
		return
	}
	c.reply(&reply{immediate: p.Immediate, encode: func(b *pdu.BHS) {
		r := pdu.LogoutResponse{
			Response: result, ITT: p.ITT, StatSN: c.takeStatSN(), ExpCmdSN: c.expCmdSN, MaxCmdSN: c.maxCmdSN(),
		}
		r.Encode(b)
	}})
	c.logout = c.logout || result == pdu.LogoutClosed
}
