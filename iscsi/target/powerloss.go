package target

// PowerLoss takes the power from the target for a moment, and returns how many physical blocks lost what was written to them:
//
//  1. all connections and logins are reset, and new ones are, until the power is back
//  2. all tasks are gone. What was not begun does not happen, not even what a rule keeps; what a worker is busy with is waited for, and
//     counts as written and not promised, even with FUA
//  3. of the writes of a volatile LUN (LUN.Volatile), UNMAP and WRITE SAME too, that were not promised, each physical block (4 KiB, or the
//     LUN's block if that is larger) is as written or as it was when it was last promised; seed says which. So a write may have happened
//     wholly, in part, or not at all, whether it was answered or not
//  4. units that were stopped are started; portals are what they were, up if they were up
//  5. every initiator port gets POWER ON OCCURRED (29/01) from every LUN, with its next session's first command
//
// Promised is what was written by a command that had ended when SYNCHRONIZE CACHE of its blocks began, or with FUA, or with the write
// cache off. The same seed, LUN and block have the same luck each time. Media that are not volatile lose nothing.
//
// The loop waits while a file gets its old blocks back.
func (f *Faults) PowerLoss(seed uint64) (lost int) { return f.target.losePower(seed, false) }

// PowerOff is PowerLoss that leaves all portals down, as Down does, until Up.
func (f *Faults) PowerOff(seed uint64) (lost int) { return f.target.losePower(seed, true) }

func (t *Target) losePower(seed uint64, stayDown bool) (lost int) {
	_ = t.loop.Await(func(done func()) { // a loop that has ended has no power to lose
		t.dark = true
		for _, l := range t.luns {
			if l.cache != nil {
				l.cache.die()
			}
		}
		t.resetLogins()
		t.endAll(true, "power lost")
		t.whenOver(func() {
			lost = t.revive(seed)
			for _, p := range t.portals {
				p.fault.downNow = p.fault.downNow || stayDown
			}
			t.dark = false
			done()
		})
	})
	return lost
}

func (t *Target) resetLogins() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for c := range t.logins {
		reset(c)
	}
}

// revive is the power coming back, when nothing is left of any connection.
func (t *Target) revive(seed uint64) (lost int) {
	for _, l := range t.luns {
		n, err := l.revive(seed)
		if err != nil {
			t.log.Error("a unit did not get its old blocks back", "lun", l.number, "err", err)
		}
		lost += n
	}
	t.log.Info("power lost", "seed", seed, "blocks", lost)
	return lost
}

func (l *lun) revive(seed uint64) (lost int, err error) {
	l.stopped, l.told = false, map[sessionKey]struct{}{}
	if l.cache == nil {
		return 0, nil
	}
	l.exclusive.Lock()
	defer l.exclusive.Unlock()
	return l.cache.revive(seed ^ uint64(l.number)<<48)
}
