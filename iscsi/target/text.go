package target

import (
	"net"
	"net/netip"
	"strconv"

	"github.com/hawser-storage/hawser/iscsi/login"
	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// maxText bounds the text of a request, in bytes, over all its PDUs.
const maxText = 64 << 10

// textExchange is a text negotiation in its course: what came so far, or what is left to be said.
type textExchange struct {
	in  []byte
	out []byte
	ttt uint32 // of the answer that is to be continued; 0: none
	itt uint32
}

// recvText takes a Text Request: SendTargets is the one key that is understood here.
func (c *conn) recvText(f *pdu.Frame) {
	var p pdu.TextRequest
	if err := p.Decode(f.BHS); err != nil {
		c.violate("%v", err)
		return
	}
	if !c.takeCmdSN(p.Immediate, p.CmdSN, p.ExpStatSN) {
		return
	}
	x := &c.text
	if p.TTT != pdu.ReservedTag && (x.ttt == 0 || p.TTT != x.ttt || p.ITT != x.itt) {
		c.violate("Text Request continues the Target Transfer Tag %#x, which there is none of", p.TTT)
		return
	}
	if p.TTT == pdu.ReservedTag {
		*x = textExchange{itt: p.ITT}
	}
	if len(x.in)+len(f.Data) > maxText {
		c.violate("Text Request of more than %d bytes", maxText)
		return
	}
	x.in = append(x.in, f.Data...)
	if !p.Continue && len(x.in) > 0 {
		out, err := c.answerText(x.in)
		if err != nil {
			c.violate("Text Request: %v", err)
			return
		}
		x.in, x.out = nil, out
	}
	c.sendText(&p)
}

// sendText says the next part of the answer, or, while the request is not complete, nothing.
func (c *conn) sendText(p *pdu.TextRequest) {
	x := &c.text
	part := x.out[:min(len(x.out), c.par.MaxXmitDataSegmentLength)]
	x.out = x.out[len(part):]
	rest := len(x.out) > 0
	final := p.Final && !rest
	ttt := pdu.ReservedTag
	x.ttt = 0
	if !final {
		x.ttt = c.newTTT()
		ttt = x.ttt
	}
	c.reply(&reply{immediate: p.Immediate, data: part, encode: func(b *pdu.BHS) {
		r := pdu.TextResponse{
			Final: final, Continue: rest, DataSegmentLength: uint32(len(part)), ITT: p.ITT, TTT: ttt,
			StatSN: c.takeStatSN(), ExpCmdSN: c.expCmdSN, MaxCmdSN: c.maxCmdSN(),
		}
		r.Encode(b)
	}})
}

func (c *conn) answerText(text []byte) ([]byte, error) {
	var out []byte
	s := pdu.NewTextScanner(text)
	for key, value := range s.Pairs() {
		if string(key) == "SendTargets" {
			out = c.sendTargets(out, string(value))
			continue
		}
		out = pdu.AppendText(out, string(key), "NotUnderstood")
	}
	return out, s.Err()
}

// sendTargets answers with this target, where all targets or this one are meant (RFC 7143 appendix C). In a normal session the empty
// value means the target of the session, and All is not allowed.
func (c *conn) sendTargets(dst []byte, which string) []byte {
	iqn := c.target.cfg.IQN
	switch {
	case which == "All" && !c.discovery():
		return pdu.AppendText(dst, "SendTargets", "Reject")
	case which != "All" && which != iqn && (which != "" || c.discovery()):
		return dst
	}
	return login.AppendSendTargets(dst, []login.TargetRecord{{Name: iqn, Addresses: c.addresses()}})
}

// addresses has all portals that are up. One that listens at every address is told as the one that the initiator came by.
func (c *conn) addresses() []login.Address {
	var list []login.Address
	for _, p := range c.target.portals {
		if !p.fault.up() {
			continue
		}
		host, port, err := net.SplitHostPort(p.name)
		if err != nil {
			host = p.name // a simulated network
		}
		if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
			if own, _, err := net.SplitHostPort(c.local.String()); err == nil {
				host = own
			}
		}
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			n = login.DefaultPort
		}
		list = append(list, login.Address{Host: host, Port: uint16(n), Tag: p.tag, HasTag: true})
	}
	return list
}
