package target

import "github.com/hawser-storage/hawser/iscsi/pdu"

// reject refuses a PDU and leaves the connection as it is.
func (c *conn) reject(f *pdu.Frame, reason pdu.RejectReason) {
	header := append([]byte(nil), f.BHS[:]...)
	c.target.log.Info("PDU rejected", "portal", c.portal.name, "pdu", pdu.OpcodeOf(f.BHS).String(), "reason", reason.String())
	c.reply(&reply{immediate: true, data: header, encode: func(b *pdu.BHS) {
		p := pdu.Reject{
			Reason: reason, DataSegmentLength: pdu.BHSLen,
			StatSN: c.takeStatSN(), ExpCmdSN: c.expCmdSN, MaxCmdSN: c.maxCmdSN(),
		}
		p.Encode(b)
	}})
}
