package target

import (
	"encoding/binary"

	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// prepareTestUnitReady: what could speak against it was looked at before.
func prepareTestUnitReady(*task) {}

// prepareRequestSense has nothing to tell: sense data goes with the status. Only a missing unit and a unit attention are reported.
func prepareRequestSense(t *task) {
	r, err := scsi.ParseRequestSense(&t.cdb)
	if err != nil {
		t.failCDB(err)
		return
	}
	var s scsi.Sense
	if t.lun == nil {
		s = scsi.NewSense(scsi.KeyIllegalRequest, scsi.CodeLUNotSupported)
	} else if ua, ok := t.conn.takeAttention(t.lun); ok {
		s = ua
	}
	var b []byte
	if r.Desc {
		b = scsi.AppendDescriptorSense(nil, s)
	} else {
		b = scsi.AppendFixedSense(nil, s)
	}
	t.reply(b, int(r.Alloc))
}

func prepareReportLUNs(t *task) {
	r, err := scsi.ParseReportLUNs(&t.cdb)
	if err != nil {
		t.failCDB(err)
		return
	}
	var list []uint64
	if r.Select != 1 {
		for _, l := range t.conn.target.luns {
			list = append(list, scsi.EncodeLUN(l.number))
		}
	}
	t.reply(scsi.AppendLUNList(nil, list...), int(r.Alloc))
}

func (l *lun) capacity() scsi.Capacity {
	c := scsi.Capacity{Blocks: l.blocks.Load(), BlockSize: l.BlockSize, LBPME: l.Thin, LBPRZ: l.Thin}
	for size := l.BlockSize; size < 4096; size <<= 1 {
		c.LBPPBE++
	}
	return c
}

func prepareReadCapacity10(t *task) {
	c := t.lun.capacity()
	t.reply(c.Append10(nil), scsi.Capacity10Len)
}

func prepareReadCapacity16(t *task) {
	alloc, err := scsi.ParseReadCapacity16(&t.cdb)
	if err != nil {
		t.failCDB(err)
		return
	}
	c := t.lun.capacity()
	t.reply(c.Append16(nil), int(alloc))
}

// codeSavingNotSupported is SAVING PARAMETERS NOT SUPPORTED.
const codeSavingNotSupported scsi.Code = 0x3900

// prepareModeSense has the caching and the control page. Nothing can be changed, and nothing is saved.
func prepareModeSense(t *task) {
	m, err := scsi.ParseModeSense(&t.cdb)
	switch {
	case err != nil:
		t.failCDB(err)
		return
	case m.Control == scsi.PageSaved:
		t.failCode(scsi.KeyIllegalRequest, codeSavingNotSupported)
		return
	case m.Subpage != 0 && m.Subpage != 0xff:
		t.fail(scsi.InvalidFieldInCDB(3))
		return
	}
	d := scsi.ModeData{WriteProtected: t.lun.ReadOnly, DPOFUA: true}
	all := m.Page == scsi.ModePageAll
	d.HasCaching = all || m.Page == scsi.ModePageCaching
	d.HasControl = all || m.Page == scsi.ModePageControl
	if !d.HasCaching && !d.HasControl {
		t.fail(scsi.InvalidFieldInCDB(2))
		return
	}
	if m.Control != scsi.PageChangeable {
		d.Caching.WCE = t.lun.WriteCache
	}
	if m.Ten {
		t.reply(d.Append10(nil), int(m.Alloc))
	} else {
		t.reply(d.Append6(nil), int(m.Alloc))
	}
}

func prepareStartStop(t *task) {
	s, err := scsi.ParseStartStop(&t.cdb)
	switch {
	case err != nil:
		t.failCDB(err)
	case s.Condition == 0:
		t.lun.stopped = !s.Start
	}
}

func prepareReportGroups(t *task) {
	r, err := scsi.ParseReportTargetPortGroups(&t.cdb)
	if err != nil {
		t.failCDB(err)
		return
	}
	g := scsi.PortGroups{Extended: r.Extended, Groups: t.conn.target.portGroups()}
	t.reply(g.Append(nil), int(min(r.Alloc, 1<<20)))
}

// Fields of REPORT SUPPORTED OPERATION CODES (SPC-4).
const (
	rsocRCTD       = 0x80
	rsocAll        = 0
	rsocOne        = 1
	rsocOneAction  = 2
	rsocSupported  = 3
	rsocTimeoutLen = 12
)

func prepareReportOpcodes(t *task) {
	alloc := int(min(binary.BigEndian.Uint32(t.cdb[6:]), 1<<20))
	timeouts := t.cdb[2]&rsocRCTD != 0
	op, action := scsi.Opcode(t.cdb[3]), binary.BigEndian.Uint16(t.cdb[4:])
	switch t.cdb[2] & 7 {
	case rsocAll:
		t.reply(allOpcodes(timeouts), alloc)
	case rsocOne:
		if actions[op] != nil {
			t.fail(scsi.InvalidFieldInCDB(2))
			return
		}
		t.reply(oneOpcode(commands[op], timeouts), alloc)
	case rsocOneAction:
		if commands[op] != nil && actions[op] == nil {
			t.fail(scsi.InvalidFieldInCDB(2))
			return
		}
		t.reply(oneOpcode(findAction(op, action), timeouts), alloc)
	default:
		t.fail(scsi.InvalidFieldInCDB(2))
	}
}

func findAction(op scsi.Opcode, action uint16) *command {
	for _, c := range actions[op] {
		if uint16(c.action) == action {
			return c
		}
	}
	return nil
}

// allOpcodes has a descriptor for each command, in the order of the codes.
func allOpcodes(timeouts bool) []byte {
	b := make([]byte, 4)
	for op, c := range commands {
		if c == nil {
			continue
		}
		for _, a := range actions[scsi.Opcode(op)] {
			b = appendOpcode(b, byte(op), uint16(a.action), true, len(a.usage), timeouts)
		}
		if c.usage != nil {
			b = appendOpcode(b, byte(op), 0, false, len(c.usage), timeouts)
		}
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

func appendOpcode(b []byte, op byte, action uint16, hasAction bool, cdbLen int, timeouts bool) []byte {
	var flags byte
	if hasAction {
		flags |= 1
	}
	if timeouts {
		flags |= 2
	}
	b = append(b, op, 0, byte(action>>8), byte(action), 0, flags, 0, byte(cdbLen))
	if timeouts {
		b = appendTimeouts(b)
	}
	return b
}

// appendTimeouts tells no timeouts.
func appendTimeouts(b []byte) []byte {
	return append(b, 0, rsocTimeoutLen-2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
}

func oneOpcode(c *command, timeouts bool) []byte {
	if c == nil {
		return []byte{0, 1, 0, 0} // not supported
	}
	support := byte(rsocSupported)
	if timeouts {
		support |= 0x80
	}
	b := append([]byte{0, support, 0, byte(len(c.usage))}, c.usage...)
	if timeouts {
		b = appendTimeouts(b)
	}
	return b
}
