package target

import (
	"slices"
	"time"

	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// A Rule picks commands and says what becomes of them. What is left zero does not restrict: the zero Rule picks every command.
type Rule struct {
	Portal string        // address
	LUNs   []int         // none: all
	Ops    []scsi.Opcode // none: all; see Reads and Writes
	From   uint64        // first LBA; commands without LBAs are at 0
	To     uint64        // last LBA; 0: no end
	Skip   int           // so many are let off first
	Count  int           // so many are picked, then the rule is void; 0: no end

	// What becomes of them. Each is told in this order, so that a command may be kept, then delayed, then refused.
	Status     scsi.Status   // not GOOD: answered so, and not carried out
	Sense      scsi.Sense    // with CHECK CONDITION
	Hold       bool          // kept, with all data there, until Release
	Survive    bool          // with Hold or Delay: kept even when the connection is lost; ABORT TASK, resets and reinstatement still end it
	Delay      time.Duration // before it is carried out
	DropBefore Drop          // the connection ends, and the command is not carried out
	LoseBefore bool          // not carried out, never answered
	LoseAfter  bool          // carried out, never answered
	DropAfter  Drop          // carried out, then the connection ends without an answer
	DelayAfter time.Duration // between execution and answer
	Hostile    Hostile       // the answer is wrong
}

// Drop is how a connection is ended.
type Drop uint8

// The ways.
const (
	DropNone  Drop = iota
	DropClose      // in order
	DropReset      // with a reset
)

// Reads and Writes are the operation codes of all forms, for Rule.Ops.
var (
	Reads  = []scsi.Opcode{scsi.OpRead6, scsi.OpRead10, scsi.OpRead12, scsi.OpRead16}
	Writes = []scsi.Opcode{scsi.OpWrite6, scsi.OpWrite10, scsi.OpWrite12, scsi.OpWrite16}
)

// RuleHandle is a rule that was added.
type RuleHandle struct{ rule *armedRule }

// Met is how many commands the rule picked so far.
func (h *RuleHandle) Met() (n int) {
	h.rule.faults.onLoop(func() { n = h.rule.met })
	return n
}

// Holding is how many commands the rule keeps now.
func (h *RuleHandle) Holding() (n int) {
	h.rule.faults.onLoop(func() { n = len(h.rule.kept) })
	return n
}

// Release lets the commands that the rule keeps go on, in the order in which they came, and picks no more.
func (h *RuleHandle) Release() {
	h.rule.faults.onLoop(func() {
		h.rule.remove()
		h.rule.release()
	})
}

// Remove makes the rule pick no more. What it keeps, it keeps.
func (h *RuleHandle) Remove() { h.rule.faults.onLoop(h.rule.remove) }

// armedRule is the loop's side of a rule.
type armedRule struct {
	Rule
	faults  *Faults
	skipped int
	met     int
	kept    []*task
}

func (a *armedRule) remove() {
	f := a.faults
	f.rules = slices.DeleteFunc(f.rules, func(o *armedRule) bool { return o == a })
}

func (a *armedRule) release() {
	kept := a.kept
	a.kept = nil
	for _, t := range kept {
		a.goOn(t)
	}
}

// meet puts the task under the first rule that picks it.
func (f *Faults) meet(t *task) {
	if len(f.rules) == 0 {
		return
	}
	for _, a := range f.rules {
		if !a.picks(t) {
			continue
		}
		if a.skipped < a.Skip {
			a.skipped++
			continue
		}
		a.met++
		if a.met == a.Count {
			a.remove()
		}
		a.apply(t)
		return
	}
}

func (a *armedRule) picks(t *task) bool {
	c := t.conn
	switch {
	case a.Portal != "" && a.Portal != c.portal.name,
		len(a.LUNs) > 0 && (t.lun == nil || !slices.Contains(a.LUNs, t.lun.number)),
		len(a.Ops) > 0 && !slices.Contains(a.Ops, scsi.Opcode(t.cdb[0])):
		return false
	}
	if t.lun == nil || a.From == 0 && a.To == 0 {
		return true
	}
	first := uint64(t.off) >> t.lun.shift
	last := first + max(1, uint64(t.len)>>t.lun.shift) - 1
	return last >= a.From && (a.To == 0 || first <= a.To)
}

// apply is what happens as soon as the command is there.
func (a *armedRule) apply(t *task) {
	t.rule, t.hostile = a, a.Hostile
	if a.Status != scsi.StatusGood && !t.failed() {
		t.status, t.sense, t.discard = a.Status, a.Sense, true
	}
}

// before is asked when the command could be carried out. It is true if it may be, now.
func (a *armedRule) before(t *task) bool {
	switch {
	case a.Hold:
		t.state = taskHeld
		a.kept = append(a.kept, t)
		return false
	case a.Delay > 0:
		t.state = taskHeld
		a.delay(t, a.Delay, a.goOn)
		return false
	}
	return a.passes(t)
}

// goOn carries out what was kept.
func (a *armedRule) goOn(t *task) {
	t.state = taskReceiving
	if a.passes(t) {
		t.carryOut()
	}
}

func (a *armedRule) passes(t *task) bool {
	switch {
	case a.LoseBefore:
		t.lose()
	case a.DropBefore != DropNone:
		t.conn.close(a.DropBefore == DropReset, "dropped by a rule, before "+scsi.Opcode(t.cdb[0]).String())
	default:
		return true
	}
	return false
}

// after is asked when the command was carried out. It is true if it may be answered now.
func (a *armedRule) after(t *task) bool {
	switch {
	case a.LoseAfter:
		t.lose()
	case a.DropAfter != DropNone:
		t.state = taskHeld
		t.conn.close(a.DropAfter == DropReset, "dropped by a rule, after "+scsi.Opcode(t.cdb[0]).String())
	case a.DelayAfter > 0:
		t.state = taskHeld
		a.delay(t, a.DelayAfter, (*task).answer)
	default:
		return true
	}
	return false
}

// delay keeps the task for a while, if it is not aborted meanwhile.
func (a *armedRule) delay(t *task, d time.Duration, then func(*task)) {
	a.kept = append(a.kept, t)
	a.faults.target.loop.NewTimer(func() {
		if i := slices.Index(a.kept, t); i >= 0 {
			a.kept = slices.Delete(a.kept, i, i+1)
			then(t)
		}
	}).Reset(d)
}

// lose leaves a task without an answer: the initiator has to abort it.
func (t *task) lose() { t.state = taskHeld }

// cancel is for a task that is aborted while it is kept.
func (a *armedRule) cancel(t *task) {
	if i := slices.Index(a.kept, t); i >= 0 {
		a.kept = slices.Delete(a.kept, i, i+1)
	}
}

// survives says whether the loss of the connection leaves a kept task alone.
func (a *armedRule) survives(t *task) bool {
	return a.Survive && t.state == taskHeld && slices.Contains(a.kept, t)
}
