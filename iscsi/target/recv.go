package target

import (
	"errors"
	"io"

	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// maxReplies is how many answers that are not tasks may wait before nothing more is read: an initiator that pings and does not read
// gets no more than this of our memory.
const maxReplies = 64

// receive reads once, and takes what came apart.
func (c *conn) receive() {
	n, err := c.watch.Socket.Readv(c.in.space())
	switch {
	case errors.Is(err, loop.ErrAgain):
		return
	case errors.Is(err, io.EOF):
		c.close(false, "closed by the initiator")
		return
	case err != nil:
		c.close(true, err.Error())
		return
	}
	c.in.w += n
	c.ping.heard()
	c.parse()
}

// parse takes the PDUs in the buffer one by one.
func (c *conn) parse() {
	for c.listening() {
		b := c.in.bytes[c.in.r:c.in.w]
		f, n, err := pdu.ParseFrame(b, c.par.HeaderDigest, c.par.DataDigest, c.par.MaxRecvDataSegmentLength)
		if err != nil {
			c.parseError(b, err)
			break
		}
		c.in.need = 0
		c.in.r += n
		c.dispatch(&f)
		if c.replies > maxReplies {
			c.pause()
		}
	}
	if !c.closed {
		c.markDirty()
	}
}

// parseError waits for the rest of a PDU, or drops a stream that cannot be understood. With error recovery level 0 a wrong digest
// costs the connection too.
func (c *conn) parseError(b []byte, err error) {
	if err != pdu.ErrShort { // returned as it is
		c.violate("%v", err)
		return
	}
	c.in.need = 0
	if len(b) >= pdu.BHSLen {
		c.in.need = min(c.frameLen((*pdu.BHS)(b)), len(c.in.bytes))
	}
}

func (c *conn) frameLen(b *pdu.BHS) int {
	n := pdu.BHSLen + pdu.AHSLen(b)
	if c.par.HeaderDigest {
		n += pdu.DigestLen
	}
	if d := pdu.DataLen(b); d > 0 {
		n += pdu.Pad(d)
		if c.par.DataDigest {
			n += pdu.DigestLen
		}
	}
	return n
}

func (c *conn) dispatch(f *pdu.Frame) {
	switch op := pdu.OpcodeOf(f.BHS); op {
	case pdu.OpSCSICommand:
		c.recvCommand(f)
	case pdu.OpDataOut:
		c.recvDataOut(f)
	case pdu.OpNOPOut:
		c.recvNOPOut(f)
	case pdu.OpTaskMgmtRequest:
		c.recvTaskMgmt(f)
	case pdu.OpTextRequest:
		c.recvText(f)
	case pdu.OpLogoutRequest:
		c.recvLogout(f)
	case pdu.OpSNACK:
		c.reject(f, pdu.RejectSNACK) // error recovery level 0
	default:
		c.violate("%v in the full feature phase", op)
	}
}

// pause stops reading until what is waiting was written.
func (c *conn) pause() {
	c.paused = true
	c.watchFor()
}

func (c *conn) resume() {
	c.paused = false
	c.watchFor()
	c.parse()
}

// takeCmdSN checks the numbers of a request and moves the window on. If it is false the request is not to be looked at: the
// connection is gone, or the request is one that is ignored.
func (c *conn) takeCmdSN(immediate bool, cmdSN, expStatSN pdu.Serial) bool {
	if !c.checkExpStatSN(expStatSN) {
		return false
	}
	switch {
	case immediate:
		// It carries the number of the next command that is not.
		if cmdSN != c.expCmdSN && !c.target.cfg.Lenient {
			c.violate("immediate command with CmdSN %d, the next one is %d", cmdSN, c.expCmdSN)
			return false
		}
		return true
	case cmdSN == c.expCmdSN && cmdSN.LessEq(c.maxCmdSN()):
		c.expCmdSN = c.expCmdSN.Next()
		c.outstanding++
		return true
	case c.target.cfg.Lenient:
		return false // RFC 7143 4.2.2.1: outside the window, silently ignored
	}
	c.violate("command with CmdSN %d, the window is %d to %d", cmdSN, c.expCmdSN, c.maxCmdSN())
	return false
}

func (c *conn) checkExpStatSN(s pdu.Serial) bool {
	if c.statSN.Less(s) && !c.target.cfg.Lenient {
		c.violate("ExpStatSN %d acknowledges what was not sent, the next StatSN is %d", s, c.statSN)
		return false
	}
	return true
}
