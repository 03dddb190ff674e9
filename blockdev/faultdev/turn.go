package faultdev

import "slices"

// resumeLater resumes a call in the deferred stage.
func (d *Device) resumeLater(c *call) {
	d.ready = append(d.ready, c)
	if !d.queued {
		d.queued = true
		d.loop.Later(d)
	}
}

// Run is the deferred stage.
func (d *Device) Run() {
	work := d.ready
	d.ready, d.queued = nil, false
	for _, c := range work {
		c.resume()
	}
}

func (d *Device) awaitEnd() {
	if !d.ending {
		d.ending = true
		d.loop.AtEnd((*turnEnd)(d))
	}
}

// turnEnd is a Device at the end of a turn.
type turnEnd Device

// Run drops what was lent for the turn, and chooses who goes on in the next one.
func (e *turnEnd) Run() {
	d := (*Device)(e)
	d.ending = false
	for _, c := range d.spent {
		c.drop()
	}
	d.spent = nil
	d.deal()
	d.checkDrained()
}

// deal resumes some of the shuffled calls, at least one, in any order.
func (d *Device) deal() {
	if len(d.shuffle) == 0 {
		return
	}
	d.rng.Shuffle(len(d.shuffle), func(i, j int) { d.shuffle[i], d.shuffle[j] = d.shuffle[j], d.shuffle[i] })
	n := 1 + d.rng.IntN(len(d.shuffle))
	for _, c := range d.shuffle[:n] {
		d.resumeLater(c)
	}
	d.shuffle = append([]*call(nil), d.shuffle[n:]...)
	if len(d.shuffle) > 0 {
		d.awaitEnd()
	}
}

// dropGhosts forgets the copies that have not been carried out.
func (d *Device) dropGhosts() {
	ghost := func(c *call) bool { return c.step == stepHaunt }
	for _, c := range d.timed {
		if ghost(c) {
			c.timer.Stop()
		}
	}
	d.timed = slices.DeleteFunc(d.timed, ghost)
	d.stalled = slices.DeleteFunc(d.stalled, ghost)
}
