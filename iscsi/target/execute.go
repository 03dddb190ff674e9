package target

import "github.com/hawser-storage/hawser/iscsi/scsi"

// execute carries out a command whose data is all there: at once on the loop, or on a worker where that may block. A rule may keep it
// from it.
func (t *task) execute() {
	if t.rule != nil && !t.rule.before(t) {
		return
	}
	t.carryOut()
}

func (t *task) carryOut() {
	t.state = taskExecuting
	switch {
	case t.failed() || t.op.exec == nil:
		t.executed()
	case t.op.medium && t.lun.mem == nil:
		t.conn.target.workers.submit(t)
	default:
		t.run()
		t.executed()
	}
}

// run is on the loop or on a worker. The unit may have got smaller since the command was looked at.
func (t *task) run() {
	l := t.lun
	if t.op.alone {
		l.exclusive.Lock()
		defer l.exclusive.Unlock()
	} else {
		l.exclusive.RLock()
		defer l.exclusive.RUnlock()
	}
	if t.off+t.len > l.size() {
		t.failCode(scsi.KeyIllegalRequest, scsi.CodeLBAOutOfRange)
		return
	}
	t.op.exec(t)
}

// executed is the loop's again.
func (t *task) executed() {
	if t.aborted {
		t.buried()
		return
	}
	if t.rule != nil && !t.rule.after(t) {
		return
	}
	t.answer()
}

// answer gives the task its turn on the wire.
func (t *task) answer() {
	c := t.conn
	if c.closed {
		c.release(t)
		return
	}
	t.state = taskAnswering
	if t.failed() {
		t.give = 0
		if t.lun != nil {
			t.lun.counters.Failures++
		}
	}
	if !t.queued {
		t.queued = true
		c.enqueue(t)
	}
}

// mediumError reports what the file said.
func (t *task) mediumError(write bool) {
	code := scsi.CodeUnrecoveredRead
	if write {
		code = scsi.CodeWriteError
	}
	s := scsi.NewSense(scsi.KeyMediumError, code)
	s.Information, s.InfoValid = uint64(t.off)>>t.lun.shift, true
	t.fail(s)
}
