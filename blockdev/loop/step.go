package loop

import "time"

// Step is a turn without waiting, for a world that turns its loops itself instead of calling Run. It reports whether the loop
// goes on: after Stop it ends the loop, as Run does, and returns false.
func (l *Loop) Step() (bool, error) {
	if err := l.Turn(false); err != nil {
		l.quit = true
		_ = l.finish()
		return false, err
	}
	if l.quit {
		return false, l.finish()
	}
	return true, nil
}

// Pending says whether a turn has something to do at once that neither the poller nor a timer knows of.
func (l *Loop) Pending() bool {
	return l.quit || len(l.later) > 0 || len(l.dirty) > 0 || l.hasPosts()
}

// NextTimer is when the earliest timer is due; false if none is set.
func (l *Loop) NextTimer() (time.Time, bool) { return l.timers.next() }
