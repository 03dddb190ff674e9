package target

// abortedTags remembers the last tasks that were aborted while data for them may have been on its way.
type abortedTags struct {
	tags [64]uint32
	n    int
}

func (a *abortedTags) add(itt uint32) {
	a.tags[a.n%len(a.tags)] = itt
	a.n++
}

func (a *abortedTags) has(itt uint32) bool {
	for i := range min(a.n, len(a.tags)) {
		if a.tags[i] == itt {
			return true
		}
	}
	return false
}

// A barrier waits for aborted tasks that a worker is still busy with.
type barrier struct {
	left int
	then func()
}

func (b *barrier) add(t *task) {
	b.left++
	t.barriers = append(t.barriers, b)
}

func (b *barrier) down() {
	if b.left--; b.left == 0 {
		b.then()
	}
}

// wait calls then when the last task is done. Nothing is added any more.
func (b *barrier) wait(then func()) {
	b.then = then
	b.left++
	b.down()
}

// abort ends a task without an answer. What is not at a worker will not be carried out after this.
func (c *conn) abort(t *task) {
	switch t.state {
	case taskIdle, taskSent:
		return
	case taskReceiving:
		c.gone.add(t.itt)
	case taskHeld:
		t.rule.cancel(t)
	}
	if t.aborted {
		return
	}
	t.aborted = true
	c.answered(t.immediate)
	if t.state != taskExecuting && (!t.queued || c.closed) {
		c.release(t)
	}
}

// abortInto is abort for who has to know when nothing of it is left.
func (c *conn) abortInto(t *task, b *barrier) {
	c.abort(t)
	if t.state == taskExecuting {
		b.add(t)
	}
}

// buried is the end of an aborted task that came back from a worker.
func (t *task) buried() {
	waiting := t.barriers
	t.barriers = nil
	t.conn.release(t)
	for _, b := range waiting {
		b.down()
	}
}
