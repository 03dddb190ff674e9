package target

import (
	"bytes"

	"github.com/hawser-storage/hawser/blockdev/loop"
	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// recvNOPOut answers a ping, and takes the answer to one of ours.
func (c *conn) recvNOPOut(f *pdu.Frame) {
	var p pdu.NOPOut
	if err := p.Decode(f.BHS); err != nil {
		c.violate("%v", err)
		return
	}
	if !c.takeCmdSN(p.Immediate, p.CmdSN, p.ExpStatSN) {
		return
	}
	c.portal.counters.NOPOuts++
	if p.TTT != pdu.ReservedTag && !c.ping.answered(p.TTT) {
		c.violate("NOP-Out answers the Target Transfer Tag %#x, which was not asked", p.TTT)
		return
	}
	if p.ITT == pdu.ReservedTag || c.target.faults.swallowPing() {
		c.answered(p.Immediate)
		return
	}
	c.answerPing(&p, f.Data)
}

func (c *conn) answerPing(p *pdu.NOPOut, data []byte) {
	data = bytes.Clone(data[:min(len(data), c.par.MaxXmitDataSegmentLength)])
	itt := p.ITT
	c.reply(&reply{immediate: p.Immediate, data: data, encode: func(b *pdu.BHS) {
		n := pdu.NOPIn{
			DataSegmentLength: uint32(len(data)), ITT: itt, TTT: pdu.ReservedTag,
			StatSN: c.takeStatSN(), ExpCmdSN: c.expCmdSN, MaxCmdSN: c.maxCmdSN(),
		}
		n.Encode(b)
	}})
}

// pinger asks a silent initiator whether it is there.
type pinger struct {
	timer *loop.Timer
	ttt   uint32 // of the ping that is not answered; 0: none
	alive bool   // something came since the timer was set
}

func (c *conn) startPing() {
	interval := c.target.cfg.PingInterval
	if interval <= 0 {
		return
	}
	c.ping.timer = c.target.loop.NewTimer(c.pingDue)
	c.ping.timer.Reset(interval)
}

func (c *conn) pingDue() {
	switch {
	case c.ping.alive:
		c.ping.alive = false
	case c.ping.ttt != 0:
		c.close(true, "the initiator does not answer")
		return
	default:
		c.sendPing()
	}
	c.ping.timer.Reset(c.target.cfg.PingInterval)
}

func (c *conn) sendPing() {
	c.ping.ttt = c.newTTT()
	c.reply(&reply{immediate: true, encode: func(b *pdu.BHS) {
		n := pdu.NOPIn{ITT: pdu.ReservedTag, TTT: c.ping.ttt, StatSN: c.statSN, ExpCmdSN: c.expCmdSN, MaxCmdSN: c.maxCmdSN()}
		n.Encode(b)
	}})
}

func (p *pinger) heard() { p.alive = true }

// answered takes the answer to the ping that is outstanding.
func (p *pinger) answered(ttt uint32) bool {
	ok := p.ttt != 0 && p.ttt == ttt
	if ok {
		p.ttt = 0
	}
	return ok
}

func (p *pinger) stop() {
	if p.timer != nil {
		p.timer.Stop()
	}
}
