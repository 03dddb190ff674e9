package target_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/iscsi/login"
	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/iscsi/scsi"
	"github.com/hawser-storage/hawser/iscsi/target"
)

func discovery(c *login.InitiatorConfig) { c.SessionType, c.TargetName = login.Discovery, "" }

func (i *initiator) text(pairs ...string) string {
	i.t.Helper()
	var data []byte
	for n := 0; n < len(pairs); n += 2 {
		data = pdu.AppendText(data, pairs[n], pairs[n+1])
	}
	i.itt++
	p := pdu.TextRequest{Immediate: true, Final: true, ITT: i.itt, TTT: pdu.ReservedTag, CmdSN: i.cmdSN, ExpStatSN: i.stat}
	out := ""
	for {
		var b pdu.BHS
		p.ExpStatSN = i.stat
		p.Encode(&b)
		i.send(&b, data)
		h, answer := i.recv()
		var r pdu.TextResponse
		i.must(r.Decode(h))
		i.takeStat(r.StatSN)
		out += string(answer)
		if r.Final {
			return out
		}
		p.TTT, data = r.TTT, nil
	}
}

func TestSendTargets(t *testing.T) {
	r := newRig(t, target.Config{}, "null:1M")
	want := func(got string) {
		t.Helper()
		list, err := login.ParseSendTargets([]byte(got))
		if err != nil || len(list) != 1 || list[0].Name != r.IQN() || len(list[0].Addresses) != 2 {
			t.Fatalf("got %+v, %v", list, err)
		}
		for n, a := range list[0].Addresses {
			if a.Portal() != r.addrs[n] || int(a.Tag) != n+1 {
				t.Errorf("got %v, want %s,%d", a, r.addrs[n], n+1)
			}
		}
	}
	d := r.login(t, 0, discovery)
	want(d.text("SendTargets", "All"))
	want(d.text("SendTargets", r.IQN()))
	if got := d.text("SendTargets", "iqn.2026-11.io.hawser:other"); got != "" {
		t.Errorf("another target: %q", got)
	}
	n := r.login(t, 1, nil)
	want(n.text("SendTargets", ""))
	if got := n.text("SendTargets", "All", "X-what", "1"); got != "SendTargets=Reject\x00X-what=NotUnderstood\x00" {
		t.Errorf("All in a normal session: %q", got)
	}
	small := r.login(t, 0, func(c *login.InitiatorConfig) { discovery(c); c.MaxRecvDataSegmentLength, c.ISID[5] = 512, 9 })
	var pairs []string
	for n := range 20 {
		pairs = append(pairs, fmt.Sprintf("X-%050d", n), "1")
	}
	long := small.text(append(pairs, "SendTargets", "All")...)
	if n := strings.Count(long, "=NotUnderstood\x00"); n != 20 || !strings.Contains(long, "TargetAddress="+r.addrs[1]) {
		t.Errorf("an answer over several PDUs: %q", long)
	}
	r.clean(t)
}

func TestDiscoveryHasNoCommands(t *testing.T) {
	r := newRig(t, target.Config{}, "null:1M")
	i := r.login(t, 0, discovery)
	i.sendCommand(i.command(0, readCDB(0, 1), true, false, 512), nil)
	b, _ := i.recv()
	if op := pdu.OpcodeOf(b); op != pdu.OpReject {
		t.Errorf("got %v, want Reject", op)
	}
}

func TestLoginRefusals(t *testing.T) {
	r := newRig(t, target.Config{}, "null:1M")
	for name, c := range map[string]struct {
		change func(*login.InitiatorConfig)
		want   pdu.LoginStatus
	}{
		"other target": {func(c *login.InitiatorConfig) { c.TargetName = "iqn.2026-11.io.hawser:other" }, pdu.LoginTargetNotFound},
		"no session":   {func(c *login.InitiatorConfig) { c.TSIH = 999 }, pdu.LoginNoSession},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := r.tryLogin(t, 0, c.change)
			e, ok := errors.AsType[*login.Error](err)
			if !ok || e.Status() != c.want {
				t.Errorf("got %v, want %04x", err, uint16(c.want))
			}
		})
	}
}

func TestSecondConnection(t *testing.T) {
	r := newRig(t, target.Config{}, "null:1M")
	i := r.login(t, 0, nil)
	_, err := r.tryLogin(t, 0, func(c *login.InitiatorConfig) { c.TSIH = i.par.TSIH; c.CID = 1 })
	if e, ok := errors.AsType[*login.Error](err); !ok || e.Status() != pdu.LoginTooManyConnections {
		t.Errorf("got %v", err)
	}
}

func TestPings(t *testing.T) {
	r := newRig(t, target.Config{}, "null:1M")
	i := r.login(t, 0, nil)
	for _, immediate := range []bool{true, false} {
		i.itt++
		p := pdu.NOPOut{Immediate: immediate, ITT: i.itt, TTT: pdu.ReservedTag, CmdSN: i.cmdSN, ExpStatSN: i.stat}
		if !immediate {
			i.cmdSN++
		}
		var b pdu.BHS
		p.Encode(&b)
		i.send(&b, []byte("are you there"))
		h, data := i.recv()
		var in pdu.NOPIn
		i.must(in.Decode(h))
		i.takeStat(in.StatSN)
		if string(data) != "are you there" || in.ITT != i.itt || in.ExpCmdSN != i.cmdSN || in.MaxCmdSN != i.cmdSN.Add(127) {
			t.Errorf("answer %+v %q", in, data)
		}
	}
	r.Faults().Ping("")
	i.answerPing()
	i.ok(i.read(0, readCDB(0, 1), 512))
	r.clean(t)
}

func (i *initiator) answerPing() {
	i.t.Helper()
	h, _ := i.recv()
	var in pdu.NOPIn
	i.must(in.Decode(h))
	if in.TTT == pdu.ReservedTag || in.StatSN != i.stat {
		i.t.Errorf("ping %+v", in)
	}
	var b pdu.BHS
	(&pdu.NOPOut{Immediate: true, ITT: pdu.ReservedTag, TTT: in.TTT, CmdSN: i.cmdSN, ExpStatSN: i.stat}).Encode(&b)
	i.send(&b, nil)
}

func TestPingInterval(t *testing.T) {
	r := newRig(t, target.Config{PingInterval: 500 * time.Millisecond}, "null:1M") // the peer answers within that, on a busy machine too
	i := r.login(t, 0, nil)
	i.answerPing()
	i.answerPing()
	i.closed() // no answer any more
	r.clean(t)
}

func TestLogout(t *testing.T) {
	r := newRig(t, target.Config{}, "null:1M")
	for _, c := range []struct {
		reason pdu.LogoutReason
		cid    uint16
		want   pdu.LogoutResult
	}{
		{pdu.LogoutCloseConnection, 7, pdu.LogoutNoCID},
		{pdu.LogoutRemoveConnection, 0, pdu.LogoutNoRecovery},
		{pdu.LogoutCloseConnection, 0, pdu.LogoutClosed},
		{pdu.LogoutCloseSession, 0, pdu.LogoutClosed},
	} {
		i := r.login(t, 0, nil)
		var b pdu.BHS
		(&pdu.LogoutRequest{Immediate: true, Reason: c.reason, ITT: 50, CID: c.cid, CmdSN: i.cmdSN, ExpStatSN: i.stat}).Encode(&b)
		i.send(&b, nil)
		h, _ := i.recv()
		var p pdu.LogoutResponse
		i.must(p.Decode(h))
		i.takeStat(p.StatSN)
		if p.Response != c.want {
			t.Errorf("%v of connection %d: %v, want %v", c.reason, c.cid, p.Response, c.want)
		}
		if c.want == pdu.LogoutClosed {
			i.closed()
		} else {
			i.ok(i.read(0, readCDB(0, 1), 512))
		}
	}
	r.clean(t)
}

func TestReject(t *testing.T) {
	r := newRig(t, target.Config{}, "null:1M")
	i := r.login(t, 0, nil)
	var b pdu.BHS
	(&pdu.SNACK{ITT: 7, TTT: pdu.ReservedTag, ExpStatSN: i.stat}).Encode(&b)
	i.send(&b, nil)
	h, data := i.recv()
	var p pdu.Reject
	i.must(p.Decode(h))
	i.takeStat(p.StatSN)
	if p.Reason != pdu.RejectSNACK || string(data) != string(b[:]) {
		t.Errorf("%v", p.Reason)
	}
	i.ok(i.read(0, readCDB(0, 1), 512))
}

// TestReinstatement: the same name and ISID at the same portal group end the old session before the new login does; another portal
// group is another session.
func TestReinstatement(t *testing.T) {
	r := newRig(t, target.Config{}, "ram:1M")
	one := func(c *login.InitiatorConfig) { c.ISID = [6]byte{0x80, 1} }
	a, b := r.login(t, 0, one), r.login(t, 1, one)
	hold := r.Faults().Add(target.Rule{Ops: target.Writes, Hold: true, Survive: true})
	a.sendWrite(a.command(0, writeCDB(0, 1), false, true, 512), pattern(1, 512))
	eventually(t, "holding", func() bool { return hold.Holding() == 1 })

	again := r.login(t, 0, one)
	a.closed()
	if n := hold.Holding(); n != 0 {
		t.Fatalf("%d writes of the old session are left", n)
	}
	hold.Release()
	if res := again.ok(again.read(0, readCDB(0, 1), 512)); !allZero(res.data) {
		t.Error("a write of the old session was carried out after its end")
	}
	if again.par.TSIH == a.par.TSIH {
		t.Error("the new session has the handle of the old one")
	}
	b.ok(b.read(0, readCDB(0, 1), 512))
	r.clean(t)
}

// TestSurvivor: a held write outlives its connection if it is told to, which makes it a ghost.
func TestSurvivor(t *testing.T) {
	r := newRig(t, target.Config{}, "ram:1M")
	for _, survive := range []bool{false, true} {
		hold := r.Faults().Add(target.Rule{Ops: target.Writes, Hold: true, Survive: survive})
		i := r.login(t, 0, nil)
		i.sendWrite(i.command(0, writeCDB(0, 1), false, true, 512), pattern(1, 512))
		eventually(t, "holding", func() bool { return hold.Holding() == 1 })
		_ = i.conn.Close()
		eventually(t, "loss of the session", func() bool { return r.Snapshot().Portals[0].Sessions == 0 })
		hold.Release()
		other := r.login(t, 1, nil)
		if res := other.ok(other.read(0, readCDB(0, 1), 512)); allZero(res.data) == survive {
			t.Errorf("survive %v: the write was carried out: %v", survive, !survive)
		}
	}
	r.clean(t)
}

func TestTaskManagement(t *testing.T) {
	r := newRig(t, target.Config{}, "ram:1M", "ram:1M")
	i := r.login(t, 0, nil)
	other := r.login(t, 1, nil)
	for _, fn := range []pdu.TaskMgmtFunction{pdu.AbortTask, pdu.AbortTaskSet, pdu.ClearTaskSet, pdu.LogicalUnitReset, pdu.TargetWarmReset} {
		t.Run(fn.String(), func(t *testing.T) {
			hold := r.Faults().Add(target.Rule{Ops: target.Writes, Hold: true})
			c := i.command(0, writeCDB(0, 1), false, true, 512)
			i.sendWrite(c, pattern(1, 512))
			eventually(t, "holding", func() bool { return hold.Holding() == 1 })
			ref := pdu.ReservedTag
			if fn == pdu.AbortTask {
				ref = c.ITT
			}
			i.taskMgmt(fn, 0, ref)
			if got := i.taskMgmtResult(); got != pdu.TaskMgmtComplete {
				t.Fatalf("%v", got)
			}
			hold.Release()
			for _, s := range []*initiator{i, other} {
				if res := s.read(0, readCDB(0, 1), 512); res.status != scsi.StatusGood && res.sense.Key != scsi.KeyUnitAttention {
					t.Errorf("%v: %v", res.status, res.sense)
				}
			}
			if res := i.ok(i.read(0, readCDB(0, 1), 512)); !allZero(res.data) {
				t.Error("the aborted write was carried out")
			}
		})
	}
	i.taskMgmt(pdu.AbortTask, 0, 0x4711)
	if got := i.taskMgmtResult(); got != pdu.TaskMgmtNoTask {
		t.Errorf("abort of nothing: %v", got)
	}
	i.taskMgmt(pdu.LogicalUnitReset, 9, pdu.ReservedTag)
	if got := i.taskMgmtResult(); got != pdu.TaskMgmtNoLUN {
		t.Errorf("reset of nothing: %v", got)
	}
	i.taskMgmt(pdu.TargetColdReset, 0, pdu.ReservedTag)
	if got := i.taskMgmtResult(); got != pdu.TaskMgmtComplete {
		t.Errorf("cold reset: %v", got)
	}
	i.closed()
	other.closed()
	r.clean(t)
}

// TestAbortWhileReceiving: data for an aborted task may still come, and is not a violation.
func TestAbortWhileReceiving(t *testing.T) {
	r := newRig(t, target.Config{Force: noFirst}, "ram:1M")
	i := r.login(t, 0, nil)
	c := i.command(0, writeCDB(0, 1), false, true, 512)
	i.sendCommand(c, nil)
	h, _ := i.recv()
	var q pdu.R2T
	i.must(q.Decode(h))
	i.taskMgmt(pdu.AbortTask, 0, c.ITT)
	i.dataOut(c, make([]byte, 512), 0, 512, q.TTT)
	if got := i.taskMgmtResult(); got != pdu.TaskMgmtComplete {
		t.Errorf("%v", got)
	}
	i.ok(i.read(0, readCDB(0, 1), 512))
	r.clean(t)
}
