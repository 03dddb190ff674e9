package target_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/iscsi/login"
	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/iscsi/scsi"
	"github.com/hawser-storage/hawser/iscsi/target"
)

func TestRuleAnswers(t *testing.T) {
	r := newRig(t, target.Config{}, "ram:1M", "ram:1M")
	i := r.login(t, 0, nil)
	f := r.Faults()
	sense := scsi.NewSense(scsi.KeyMediumError, scsi.CodeUnrecoveredRead)
	f.Add(target.Rule{Ops: target.Reads, LUNs: []int{1}, From: 10, To: 19, Status: scsi.StatusCheckCondition, Sense: sense})
	f.Add(target.Rule{Ops: target.Writes, Skip: 1, Count: 2, Status: scsi.StatusBusy})

	for lba, want := range map[uint64]scsi.Status{
		9: scsi.StatusGood, 10: scsi.StatusCheckCondition, 19: scsi.StatusCheckCondition, 20: scsi.StatusGood,
	} {
		res := i.read(1, readCDB(lba, 1), 512)
		if res.status != want || want != scsi.StatusGood && (res.sense != sense || len(res.data) != 0 || res.under != 512) {
			t.Errorf("READ at %d: %v: %v, %d bytes", lba, res.status, res.sense, len(res.data))
		}
		i.ok(i.read(0, readCDB(lba, 1), 512))
	}
	var got []scsi.Status
	for range 4 {
		got = append(got, i.write(0, writeCDB(0, 1), pattern(1, 512)).status)
	}
	if want := []scsi.Status{scsi.StatusGood, scsi.StatusBusy, scsi.StatusBusy, scsi.StatusGood}; !bytes.Equal(raw(got), raw(want)) {
		t.Errorf("got %v, want %v", got, want)
	}
	f.Clear()
	i.ok(i.read(1, readCDB(10, 1), 512))
	r.clean(t)
}

func raw(s []scsi.Status) (b []byte) {
	for _, v := range s {
		b = append(b, byte(v))
	}
	return b
}

// TestRefusedWrite: a rule answers a WRITE only when the data that was announced has come, and nothing of it is kept.
func TestRefusedWrite(t *testing.T) {
	r := newRig(t, target.Config{Force: unsolicitedOnly}, "ram:1M")
	i := r.login(t, 0, nil)
	r.Faults().Add(target.Rule{Ops: target.Writes, Count: 1, Status: scsi.StatusTaskSetFull})
	if res := i.write(0, writeCDB(0, 8), pattern(1, 4096)); res.status != scsi.StatusTaskSetFull || res.r2ts != 0 {
		t.Errorf("%v after %d R2Ts", res.status, res.r2ts)
	}
	if res := i.ok(i.read(0, readCDB(0, 8), 4096)); !allZero(res.data) {
		t.Error("data of a refused WRITE was kept")
	}
	i.ok(i.write(0, writeCDB(0, 8), pattern(1, 4096)))
	r.clean(t)
}

func TestRuleLosesAndDrops(t *testing.T) {
	for name, c := range map[string]struct {
		rule    target.Rule
		done    bool // the WRITE was carried out
		dropped bool
	}{
		"lose before":  {target.Rule{LoseBefore: true}, false, false},
		"lose after":   {target.Rule{LoseAfter: true}, true, false},
		"drop before":  {target.Rule{DropBefore: target.DropClose}, false, true},
		"reset before": {target.Rule{DropBefore: target.DropReset}, false, true},
		"drop after":   {target.Rule{DropAfter: target.DropClose}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, target.Config{}, "ram:1M")
			c.rule.Ops, c.rule.Count = target.Writes, 1
			r.Faults().Add(c.rule)
			i := r.login(t, 0, nil)
			w := i.command(0, writeCDB(0, 1), false, true, 512)
			i.sendWrite(w, pattern(1, 512))
			if c.dropped {
				i.closed()
				i = r.login(t, 0, nil)
			}
			if res := i.ok(i.read(0, readCDB(0, 1), 512)); allZero(res.data) == c.done {
				t.Errorf("carried out: %v, want %v", !c.done, c.done)
			}
			if !c.dropped {
				i.taskMgmt(pdu.AbortTask, 0, w.ITT)
				if got := i.taskMgmtResult(); got != pdu.TaskMgmtComplete {
					t.Errorf("ABORT TASK: %v", got)
				}
			}
			r.clean(t)
		})
	}
}

func TestDelays(t *testing.T) {
	r := newRig(t, target.Config{}, "ram:1M")
	i := r.login(t, 0, nil)
	r.Faults().Add(target.Rule{Ops: target.Reads, Count: 1, Delay: 20 * time.Millisecond})
	r.Faults().Add(target.Rule{Ops: target.Reads, Count: 1, DelayAfter: 5 * time.Millisecond})
	var sent []*pdu.SCSICommand
	for range 3 {
		c := i.command(0, readCDB(0, 1), true, false, 512)
		i.sendCommand(c, nil)
		sent = append(sent, c)
	}
	for _, n := range []int{2, 1, 0} {
		i.ok(i.finish(sent[n], nil))
	}
	r.clean(t)
}

func TestPortalFaults(t *testing.T) {
	r := newRig(t, target.Config{}, "ram:1M")
	f := r.Faults()
	for _, rst := range []bool{false, true} {
		i, other := r.login(t, 0, nil), r.login(t, 1, nil)
		f.Down(r.addrs[0], rst)
		i.closed()
		if _, err := r.tryLogin(t, 0, nil); err == nil {
			t.Error("login at a portal that is down")
		}
		other.ok(other.read(0, readCDB(0, 1), 512))
		f.Up(r.addrs[0])
		i = r.login(t, 0, nil)
		i.ok(i.read(0, readCDB(0, 1), 512))
		f.Drop("", rst)
		i.closed()
		other.closed()
	}
	r.clean(t)
}

func TestStall(t *testing.T) {
	r := newRig(t, target.Config{}, "ram:1M")
	f := r.Faults()
	i, other := r.login(t, 0, nil), r.login(t, 1, nil)
	f.Stall(r.addrs[0])
	c := i.command(0, readCDB(0, 1), true, false, 512)
	i.sendCommand(c, nil)
	late := make(chan error, 1)
	go func() {
		l, err := r.tryLogin(t, 0, func(c *login.InitiatorConfig) { c.ISID[1] = 7 })
		if err == nil {
			err = l.conn.Close()
		}
		late <- err
	}()
	for range 10 {
		other.ok(other.read(0, readCDB(0, 1), 512))
	}
	if n := r.Snapshot().Portals[0]; n.Commands != 0 || n.Logins != 1 {
		t.Errorf("a stalled portal had %d commands and %d logins", n.Commands, n.Logins)
	}
	f.Up(r.addrs[0])
	i.ok(i.finish(c, nil))
	if err := <-late; err != nil {
		t.Errorf("login at a portal that was stalled: %v", err)
	}
	r.clean(t)
}

func TestAttention(t *testing.T) {
	r := newRig(t, target.Config{}, "ram:1M,wce=on")
	i, other := r.login(t, 0, nil), r.login(t, 1, nil)
	r.Faults().SetWriteCache(0, false)
	for _, s := range []*initiator{i, other} {
		s.ok(s.read(0, scsi.CDB{byte(scsi.OpInquiry), 4: 36}, 36))
		if res := s.read(0, readCDB(0, 1), 512); res.sense != scsi.NewSense(scsi.KeyUnitAttention, scsi.CodeModeParametersChanged) {
			t.Errorf("got %v: %v", res.status, res.sense)
		}
		s.ok(s.read(0, readCDB(0, 1), 512))
	}
	r.clean(t)
}

func TestGroupStates(t *testing.T) {
	r := newRig(t, target.Config{}, "ram:1M")
	i, other := r.login(t, 0, nil), r.login(t, 1, nil)
	r.Faults().SetGroup(2, scsi.ALUAStandby, false)
	i.read(0, readCDB(0, 1), 512) // unit attention
	other.read(0, readCDB(0, 1), 512)
	i.ok(i.read(0, readCDB(0, 1), 512))
	if res := other.read(0, readCDB(0, 1), 512); res.sense != scsi.NewSense(scsi.KeyNotReady, scsi.CodeStandby) {
		t.Errorf("standby: %v: %v", res.status, res.sense)
	}
	var cdb scsi.CDB
	scsi.PutReportTargetPortGroups(&cdb, 255)
	g, err := scsi.ParsePortGroups(other.ok(other.read(0, cdb, 255)).data)
	if err != nil || len(g.Groups) != 2 {
		t.Fatalf("%+v, %v", g, err)
	}
	for n, want := range []scsi.ALUAState{scsi.ALUAActiveOptimized, scsi.ALUAStandby} {
		if p := g.Groups[n]; int(p.ID) != n+1 || p.State != want || len(p.Ports) != 1 || int(p.Ports[0]) != n+1 {
			t.Errorf("group %d: %+v", n, p)
		}
	}
	r.clean(t)
}

func TestAsync(t *testing.T) {
	r := newRig(t, target.Config{}, "ram:1M")
	i := r.login(t, 0, nil)
	r.Faults().Async(r.addrs[0], pdu.AsyncLogout, 0, 0, 5)
	h, _ := i.recv()
	var a pdu.Async
	i.must(a.Decode(h))
	i.takeStat(a.StatSN)
	if a.Event != pdu.AsyncLogout || a.Parameter3 != 5 {
		t.Errorf("%+v", a)
	}
	i.ok(i.read(0, readCDB(0, 1), 512))
}

// TestHostile: every lie is one, and a target that told it lives on.
func TestHostile(t *testing.T) {
	for _, c := range []struct {
		lie   target.Hostile
		write bool
		told  func(c *pdu.SCSICommand, b *pdu.BHS) bool
	}{
		{target.WrongITT, false, func(c *pdu.SCSICommand, b *pdu.BHS) bool { return pdu.ITTOf(b) != c.ITT }},
		{target.WrongITT, true, func(c *pdu.SCSICommand, b *pdu.BHS) bool { return pdu.ITTOf(b) != c.ITT }},
		{target.WrongOpcode, false, func(_ *pdu.SCSICommand, b *pdu.BHS) bool { return pdu.OpcodeOf(b) == 0x3c }},
		{target.DataBeyondEDTL, false, dataIn(func(p *pdu.DataIn) bool { return p.BufferOffset == 512 })},
		{target.WrongDataOffset, false, dataIn(func(p *pdu.DataIn) bool { return p.BufferOffset == 512 })},
		{target.WrongDataSN, false, dataIn(func(p *pdu.DataIn) bool { return p.DataSN == 1 })},
		{target.WrongStatSN, false, func(c *pdu.SCSICommand, b *pdu.BHS) bool {
			return dataIn(func(p *pdu.DataIn) bool { return p.StatSN == c.ExpStatSN+1 })(c, b)
		}},
		{target.WrongMaxCmdSN, false, dataIn(func(p *pdu.DataIn) bool { return p.MaxCmdSN > 1<<29 })},
		{target.HugeLength, false, dataIn(func(p *pdu.DataIn) bool { return p.DataSegmentLength == pdu.MaxDataLen })},
		{target.BadResidual, false, dataIn(func(p *pdu.DataIn) bool { return p.Underflow && p.ResidualCount == 513 })},
		{target.NoFinal, false, func(_ *pdu.SCSICommand, b *pdu.BHS) bool { return b[1]&0x80 == 0 }},
		{target.R2TBeyondEnd, true, r2t(func(p *pdu.R2T) bool { return p.DesiredDataLength == 1024 })},
		{target.R2TWrongSN, true, r2t(func(p *pdu.R2T) bool { return p.R2TSN == 1 })},
		{target.R2TWrongTTT, true, func(_ *pdu.SCSICommand, b *pdu.BHS) bool { return b[20] == 0xff && b[23] == 0xff }},
	} {
		r := newRig(t, target.Config{Force: noFirst}, "ram:1M")
		i := r.login(t, 0, nil)
		r.Faults().Add(target.Rule{Hostile: c.lie, Count: 1})
		cmd := i.command(0, readCDB(0, 1), !c.write, c.write, 512)
		if c.write {
			cmd.CDB = writeCDB(0, 1)
		}
		i.sendCommand(cmd, nil)
		b := new(pdu.BHS)
		if _, err := i.conn.Read(b[:]); err != nil {
			t.Fatal(err)
		}
		if !c.told(cmd, b) {
			t.Errorf("lie %d was not told: % x", c.lie, b[:])
		}
		again := r.login(t, 0, nil)
		again.ok(again.read(0, readCDB(0, 1), 512))
	}
}

func dataIn(ok func(*pdu.DataIn) bool) func(*pdu.SCSICommand, *pdu.BHS) bool {
	return func(_ *pdu.SCSICommand, b *pdu.BHS) bool {
		var p pdu.DataIn
		return p.Decode(b) == nil && ok(&p)
	}
}

func r2t(ok func(*pdu.R2T) bool) func(*pdu.SCSICommand, *pdu.BHS) bool {
	return func(_ *pdu.SCSICommand, b *pdu.BHS) bool {
		var p pdu.R2T
		return p.Decode(b) == nil && ok(&p)
	}
}

func TestInject(t *testing.T) {
	r := newRig(t, target.Config{}, "ram:1M")
	i := r.login(t, 0, nil)
	garbage := pattern(7, 99)
	r.Faults().Inject("", garbage)
	got := make([]byte, len(garbage))
	if _, err := i.conn.Read(got); err != nil || !bytes.Equal(got, garbage) {
		t.Errorf("%x, %v", got, err)
	}
}
