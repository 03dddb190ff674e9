package iscsi

import "github.com/hawser-storage/hawser/iscsi/pdu"

// window is a connection's view of the session's sequence numbers (RFC 7143, section 4.2.2).
type window struct {
	cmdSN     pdu.Serial // of the next command
	expCmdSN  pdu.Serial // the next that the target expects
	maxCmdSN  pdu.Serial // the last that the target accepts
	expStatSN pdu.Serial // of the target's next status
}

// open says whether the target accepts one more command.
func (w *window) open() bool { return w.cmdSN.LessEq(w.maxCmdSN) }

// take is the number of the next command.
func (w *window) take() pdu.Serial {
	sn := w.cmdSN
	w.cmdSN = w.cmdSN.Next()
	return sn
}

// update takes over what a PDU says of the window. Values from the past, which cross with newer ones, are ignored, and so is a
// MaxCmdSN below ExpCmdSN-1 (RFC 7143, section 4.2.2.1).
func (w *window) update(exp, last pdu.Serial) error {
	if last.Sub(exp) < -1 {
		return nil
	}
	if w.cmdSN.Less(exp) {
		return protocolError("ExpCmdSN %d acknowledges commands that were never sent (next is %d)", exp, w.cmdSN)
	}
	if w.expCmdSN.Less(exp) {
		w.expCmdSN = exp
	}
	if w.maxCmdSN.Less(last) {
		w.maxCmdSN = last
	}
	return nil
}

// status takes the number of a status. One connection delivers them in order, so a gap is a loss.
func (w *window) status(sn pdu.Serial) error {
	if sn != w.expStatSN {
		return protocolError("StatSN %d, expected %d", sn, w.expStatSN)
	}
	w.expStatSN = sn.Next()
	return nil
}
