package target

import "github.com/hawser-storage/hawser/iscsi/scsi"

// attend leaves a unit attention for the session's next command to the unit. It takes the place of one that was not told yet, unless
// that is of the power: who hears that expects everything to have changed.
func (c *conn) attend(l *lun, code scsi.Code) {
	if c.attention == nil {
		c.attention = map[*lun]scsi.Sense{}
	}
	if old, ok := c.attention[l]; !ok || old.Code() != scsi.CodePowerOn {
		c.attention[l] = scsi.NewSense(scsi.KeyUnitAttention, code)
	}
}

// takeAttention is for who tells it.
func (c *conn) takeAttention(l *lun) (s scsi.Sense, ok bool) {
	s, ok = c.attention[l]
	delete(c.attention, l)
	if ok && l.told != nil && s.Code() == scsi.CodePowerOn {
		l.toldOfPower(c.session.key)
	}
	return s, ok
}

// maxTold bounds what a unit remembers. It forgets all when that is reached: whom it tells again it does no harm.
const maxTold = 4096

func (l *lun) toldOfPower(to sessionKey) {
	if len(l.told) == maxTold {
		clear(l.told)
	}
	l.told[to] = struct{}{}
}

// tellOfPower leaves POWER ON OCCURRED for a new session, of all units that did not tell its initiator port yet that the power was
// lost. An initiator that was away at that moment hears of it when it comes back.
func (c *conn) tellOfPower() {
	if c.discovery() {
		return
	}
	for _, l := range c.target.luns {
		if _, told := l.told[c.session.key]; l.told != nil && !told {
			c.attend(l, scsi.CodePowerOn)
		}
	}
}
