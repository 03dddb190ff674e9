package target_test

import (
	"strings"
	"testing"

	"github.com/hawser-storage/hawser/iscsi/login"
	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/iscsi/scsi"
	"github.com/hawser-storage/hawser/iscsi/target"
)

// TestViolations breaks one rule at a time. Each costs the connection and is told.
func TestViolations(t *testing.T) {
	for _, c := range []struct {
		name  string
		force map[string]string
		want  string // part of the text
		do    func(i *initiator)
	}{
		{"CmdSN too high", nil, "CmdSN", func(i *initiator) {
			i.cmdSN++
			i.sendCommand(i.command(0, readCDB(0, 1), true, false, 512), nil)
		}},
		{"CmdSN again", nil, "CmdSN", func(i *initiator) {
			i.read(0, readCDB(0, 1), 512)
			i.cmdSN--
			i.sendCommand(i.command(0, readCDB(0, 1), true, false, 512), nil)
		}},
		{"CmdSN of an immediate command", nil, "CmdSN", func(i *initiator) {
			c := i.command(0, readCDB(0, 1), true, false, 512)
			c.Immediate = true
			c.CmdSN += 3
			i.sendCommand(c, nil)
		}},
		{"ExpStatSN ahead", nil, "ExpStatSN", func(i *initiator) {
			i.stat++
			i.sendCommand(i.command(0, readCDB(0, 1), true, false, 512), nil)
		}},
		{"ITT in use", map[string]string{"InitialR2T": "Yes", "ImmediateData": "No"}, "in use", func(i *initiator) {
			i.sendCommand(i.command(0, writeCDB(0, 1), false, true, 512), nil)
			i.itt--
			i.sendCommand(i.command(0, readCDB(0, 1), true, false, 512), nil)
		}},
		{"immediate data not agreed", map[string]string{"ImmediateData": "No"}, "ImmediateData=No", func(i *initiator) {
			i.sendCommand(i.command(0, writeCDB(0, 1), false, true, 512), make([]byte, 512))
		}},
		{"immediate data without W", nil, "W bit", func(i *initiator) {
			i.sendCommand(i.command(0, readCDB(0, 1), true, false, 512), make([]byte, 512))
		}},
		{"immediate data too long", map[string]string{"FirstBurstLength": "512"}, "FirstBurstLength", func(i *initiator) {
			i.sendCommand(i.command(0, writeCDB(0, 2), false, true, 1024), make([]byte, 1024))
		}},
		{"unsolicited data not agreed", map[string]string{"InitialR2T": "Yes"}, "InitialR2T=Yes", func(i *initiator) {
			c := i.command(0, writeCDB(0, 2), false, true, 1024)
			c.Final = false
			i.sendCommand(c, make([]byte, 512))
		}},
		{"F clear with all data there", nil, "F is clear", func(i *initiator) {
			c := i.command(0, writeCDB(0, 1), false, true, 512)
			c.Final = false
			i.sendCommand(c, make([]byte, 512))
		}},
		{"segment too long", map[string]string{"MaxRecvDataSegmentLength": "512"}, "data segment", func(i *initiator) {
			i.sendCommand(i.command(0, writeCDB(0, 2), false, true, 1024), make([]byte, 1024))
		}},
		{"no such task", nil, "does not exist", func(i *initiator) {
			i.dataOut(&pdu.SCSICommand{ITT: 77}, make([]byte, 512), 0, 512, 5)
		}},
		{"DataSN", noFirst, "DataSN", solicited(func(o *pdu.DataOut) { o.DataSN = 1 })},
		{"offset", noFirst, "offset", solicited(func(o *pdu.DataOut) { o.BufferOffset = 512 })},
		{"wrong TTT", noFirst, "Target Transfer Tag", solicited(func(o *pdu.DataOut) { o.TTT++ })},
		{"unsolicited after an R2T", noFirst, "unsolicited", solicited(func(o *pdu.DataOut) { o.TTT = pdu.ReservedTag })},
		{"wrong LUN", noFirst, "LUN", solicited(func(o *pdu.DataOut) { o.LUN = 1 << 48 })},
		{"F missing", noFirst, "F does not", solicited(func(o *pdu.DataOut) { o.Final = false })},
		{"F early", noFirst, "F does not", solicited(func(o *pdu.DataOut) { o.DataSegmentLength = 512 })},
		{"beyond the R2T", noFirst, "more than", solicited(func(o *pdu.DataOut) { o.DataSegmentLength = 1536 })},
		{"first burst ends early", unsolicitedOnly, "F does not", func(i *initiator) {
			c := i.command(0, writeCDB(0, 4), false, true, 2048)
			c.Final = false
			i.sendCommand(c, nil)
			i.dataOut(c, make([]byte, 2048), 0, 512, pdu.ReservedTag)
		}},
		{"first burst too long", unsolicitedOnly, "more than the first burst", func(i *initiator) {
			c := i.command(0, writeCDB(0, 4), false, true, 2048)
			c.Final = false
			i.sendCommand(c, nil)
			i.dataOut(c, make([]byte, 2048), 0, 2048, pdu.ReservedTag)
		}},
		{"NOP-Out for no ping", nil, "not asked", func(i *initiator) {
			var b pdu.BHS
			(&pdu.NOPOut{Immediate: true, ITT: pdu.ReservedTag, TTT: 3, CmdSN: i.cmdSN, ExpStatSN: i.stat}).Encode(&b)
			i.send(&b, nil)
		}},
		{"a target's PDU", nil, "R2T", func(i *initiator) {
			var b pdu.BHS
			(&pdu.R2T{ITT: 5, TTT: 6, DesiredDataLength: 1}).Encode(&b)
			i.send(&b, nil)
		}},
		{"login again", nil, "Login Request", func(i *initiator) {
			var b pdu.BHS
			(&pdu.LoginRequest{ITT: 5}).Encode(&b)
			i.send(&b, nil)
		}},
		{"header digest", map[string]string{"HeaderDigest": "CRC32C"}, "header digest", func(i *initiator) {
			i.par.HeaderDigest = false
			i.sendCommand(i.command(0, readCDB(0, 1), true, false, 512), []byte("12345678"))
		}},
		{"data digest", map[string]string{"DataDigest": "CRC32C"}, "data digest", func(i *initiator) {
			i.par.DataDigest = false
			i.sendCommand(i.command(0, writeCDB(0, 1), false, true, 512), make([]byte, 512))
			i.sendCommand(i.command(0, readCDB(0, 1), true, false, 512), nil)
		}},
		{"text that is none", nil, "Text Request", func(i *initiator) {
			var b pdu.BHS
			(&pdu.TextRequest{Immediate: true, Final: true, ITT: 9, TTT: pdu.ReservedTag, CmdSN: i.cmdSN, ExpStatSN: i.stat}).Encode(&b)
			i.send(&b, []byte("nothing"))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			told := make(chan target.Violation, 10)
			r := newRig(t, target.Config{Force: c.force, OnViolation: func(v target.Violation) { told <- v }}, "ram:1M")
			i := r.login(t, 0, func(cfg *login.InitiatorConfig) {
				cfg.HeaderDigest, cfg.DataDigest = []string{"None", "CRC32C"}, []string{"None", "CRC32C"}
			})
			c.do(i)
			i.closed()
			n, last := r.Violations()
			if n != 1 || len(last) != 1 {
				t.Fatalf("%d violations: %v", n, last)
			}
			if v := last[0]; !strings.Contains(v.Text, c.want) || v.Initiator != initiatorName || v.Portal != r.addrs[0] {
				t.Errorf("got %v, want %q in it", v, c.want)
			}
			if v := <-told; v != last[0] {
				t.Errorf("told %v, kept %v", v, last[0])
			}
		})
	}
}

var (
	noFirst         = map[string]string{"InitialR2T": "Yes", "ImmediateData": "No"}
	unsolicitedOnly = map[string]string{"ImmediateData": "No", "FirstBurstLength": "1024"}
)

// solicited answers an R2T for 1024 bytes wrongly.
func solicited(spoil func(*pdu.DataOut)) func(*initiator) {
	return func(i *initiator) {
		c := i.command(0, writeCDB(0, 2), false, true, 1024)
		i.sendCommand(c, nil)
		h, _ := i.recv()
		var r pdu.R2T
		i.must(r.Decode(h))
		o := pdu.DataOut{Final: true, LUN: c.LUN, ITT: c.ITT, TTT: r.TTT, ExpStatSN: i.stat, DataSegmentLength: 1024}
		spoil(&o)
		var b pdu.BHS
		n := o.DataSegmentLength
		o.Encode(&b)
		i.send(&b, make([]byte, n))
	}
}

// TestWindow fills the window: one command more is a violation, and with Lenient it is not there.
func TestWindow(t *testing.T) {
	r := newRig(t, target.Config{Lenient: true, QueueDepth: 4}, "ram:1M")
	hold := r.Faults().Add(target.Rule{Hold: true})
	i := r.login(t, 0, nil)
	var sent []*pdu.SCSICommand
	for range 5 {
		c := i.command(0, readCDB(0, 1), true, false, 512)
		i.sendCommand(c, nil)
		sent = append(sent, c)
	}
	eventually(t, "holding 4 commands", func() bool { return hold.Holding() == 4 })
	hold.Release()
	for _, c := range sent[:4] {
		i.ok(i.finish(c, nil))
	}
	i.cmdSN--
	i.ok(i.read(0, readCDB(0, 1), 512))
	r.clean(t)
}

func TestTooManyImmediate(t *testing.T) {
	r := newRig(t, target.Config{}, "ram:1M")
	r.Faults().Add(target.Rule{Hold: true})
	i := r.login(t, 0, nil)
	for range 33 {
		c := i.command(0, scsi.CDB{}, false, false, 0)
		i.cmdSN--
		c.Immediate, c.CmdSN = true, i.cmdSN
		i.sendCommand(c, nil)
	}
	b, data := i.recv()
	var p pdu.Reject
	i.must(p.Decode(b))
	if p.Reason != pdu.RejectTooManyImmediate || pdu.ITTOf((*pdu.BHS)(data)) != i.itt {
		t.Errorf("%v of task %#x", p.Reason, pdu.ITTOf((*pdu.BHS)(data)))
	}
	r.clean(t)
}
