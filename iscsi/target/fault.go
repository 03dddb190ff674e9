package target

import (
	"slices"

	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// Faults makes a target misbehave while it runs. Its methods are for the control plane: each takes effect on the loop before it
// returns, in the middle of whatever is going on there. They must not be called on the loop.
type Faults struct {
	target *Target

	// The loop's.
	rules     []*armedRule
	shape     Shape
	loseTMFs  int // how many more to swallow
	losePings bool
}

func (f *Faults) onLoop(fn func()) { f.target.onLoop(fn) }

// onUnit does nothing if there is no such LUN.
func (f *Faults) onUnit(number int, fn func(*lun)) {
	f.onLoop(func() {
		if number >= 0 && number < len(f.target.luns) {
			fn(f.target.luns[number])
		}
	})
}

// Add arms a rule. The handle tells what it met, and takes it back.
func (f *Faults) Add(r Rule) *RuleHandle {
	a := &armedRule{Rule: r, faults: f}
	f.onLoop(func() { f.rules = append(f.rules, a) })
	return &RuleHandle{a}
}

// Clear takes back all rules, the shape, and what else was switched on. Commands that a rule keeps go on; portals stay as they are.
func (f *Faults) Clear() {
	f.onLoop(func() {
		rules := f.rules
		f.rules, f.shape, f.loseTMFs, f.losePings = nil, Shape{}, 0, false
		for _, a := range rules {
			a.release()
		}
	})
}

// SetShape changes how Data-In is cut from now on.
func (f *Faults) SetShape(s Shape) {
	s.arm()
	f.onLoop(func() { f.shape = s })
}

// LoseTaskMgmt swallows the next n task management requests: they do nothing and are not answered.
func (f *Faults) LoseTaskMgmt(n int) { f.onLoop(func() { f.loseTMFs = n }) }

// LosePings swallows NOP-Outs, or no longer does.
func (f *Faults) LosePings(on bool) { f.onLoop(func() { f.losePings = on }) }

// UnitAttention leaves a unit attention for the next command of every session to a LUN.
func (f *Faults) UnitAttention(lun int, code scsi.Code) {
	f.onLoop(func() {
		t := f.target
		for _, p := range t.portals {
			for _, c := range slices.Clone(p.conns) {
				if lun < len(t.luns) && !c.discovery() {
					c.attend(t.luns[lun], code)
				}
			}
		}
	})
}

// SetWriteCache switches the cache that a LUN says it has, and leaves the unit attention that tells of it. What a volatile one has in
// it when it is switched off is promised.
func (f *Faults) SetWriteCache(number int, on bool) {
	f.onUnit(number, func(l *lun) {
		l.WriteCache = on
		if l.cache != nil && !on {
			l.cache.promise(0, 0)
		}
	})
	f.UnitAttention(number, scsi.CodeModeParametersChanged)
}

// SetReadOnly makes a LUN read-only or writable, and leaves the unit attention that tells of it. WRITEs that were taken before are
// still carried out.
func (f *Faults) SetReadOnly(number int, on bool) {
	f.onUnit(number, func(l *lun) { l.ReadOnly = on })
	f.UnitAttention(number, scsi.CodeModeParametersChanged)
}

// SetGroup changes the asymmetric access state of a target port group, and leaves the unit attention that tells of it.
func (f *Faults) SetGroup(tag uint16, state scsi.ALUAState, preferred bool) {
	f.onLoop(func() {
		f.target.groups[tag] = groupState{state: state, preferred: preferred, changed: true}
	})
	for lun := range len(f.target.cfg.LUNs) {
		f.UnitAttention(lun, scsi.CodeALUAStateChanged)
	}
}

// Async sends an Async Message on every session at the portal ("": at all): a request to log out, the word that a connection is about
// to be dropped. It drops nothing by itself.
func (f *Faults) Async(addr string, event pdu.AsyncEvent, p1, p2, p3 uint16) {
	f.eachConn(addr, func(c *conn) {
		c.reply(&reply{immediate: true, encode: func(b *pdu.BHS) {
			a := pdu.Async{
				Event: event, Parameter1: p1, Parameter2: p2, Parameter3: p3,
				StatSN: c.takeStatSN(), ExpCmdSN: c.expCmdSN, MaxCmdSN: c.maxCmdSN(),
			}
			a.Encode(b)
		}})
	})
}

// Ping sends a NOP-In that wants an answer on every session at the portal ("": at all).
func (f *Faults) Ping(addr string) { f.eachConn(addr, (*conn).sendPing) }

// Inject writes raw bytes, which need not be a PDU, between two answers on every session at the portal ("": at all).
func (f *Faults) Inject(addr string, raw []byte) {
	f.eachConn(addr, func(c *conn) { c.enqueue(&injected{raw}) })
}

func (f *Faults) eachConn(addr string, fn func(*conn)) {
	f.onLoop(func() {
		for _, p := range f.target.portals {
			if addr != "" && addr != p.name {
				continue
			}
			for _, c := range slices.Clone(p.conns) {
				fn(c)
			}
		}
	})
}

func (f *Faults) swallowTMF(pdu.TaskMgmtFunction) bool {
	if f.loseTMFs == 0 {
		return false
	}
	f.loseTMFs--
	return true
}

func (f *Faults) swallowPing() bool { return f.losePings }

// injected is bytes in place of a PDU.
type injected struct{ raw []byte }

func (i *injected) emit(c *conn) bool {
	c.window.put(i.raw)
	c.window.used++
	return false
}
