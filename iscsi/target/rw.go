package target

import (
	"errors"

	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// failCDB reports what a parser refused.
func (t *task) failCDB(err error) {
	if e, ok := errors.AsType[*scsi.CDBError](err); ok {
		t.fail(e.Sense())
		return
	}
	t.failCode(scsi.KeyIllegalRequest, scsi.CodeInvalidFieldInCDB)
}

// extent says where the command works, if that is within the unit.
func (t *task) extent(lba, blocks uint64) bool {
	l := t.lun
	if !scsi.InRange(lba, blocks, l.blocks.Load()) {
		t.failCode(scsi.KeyIllegalRequest, scsi.CodeLBAOutOfRange)
		return false
	}
	t.off, t.len = int64(lba<<l.shift), int64(blocks<<l.shift)
	return true
}

// transferable refuses an extent that no command may move at once, and protection information.
func (t *task) transferable(protect uint8, lengthAt uint8) bool {
	switch {
	case protect != 0:
		t.fail(scsi.InvalidFieldInCDB(1))
	case t.len > maxTransfer:
		t.fail(scsi.InvalidFieldInCDB(lengthAt))
	default:
		return true
	}
	return false
}

// writable refuses to change a unit that is read-only.
func (t *task) writable() bool {
	if t.lun.ReadOnly {
		t.failCode(scsi.KeyDataProtect, scsi.CodeWriteProtected)
		return false
	}
	return true
}

// lengthOffset is where the CDB of a READ or WRITE has its length.
func lengthOffset(c *scsi.CDB) uint8 {
	switch c[0] >> 5 {
	case 0:
		return 4
	case 4:
		return 10
	case 5:
		return 6
	}
	return 7
}

func prepareRead(t *task) {
	r, err := scsi.ParseRW(&t.cdb)
	if err != nil {
		t.failCDB(err)
		return
	}
	if !t.extent(r.LBA, uint64(r.Blocks)) || !t.transferable(r.Protect, lengthOffset(&t.cdb)) {
		return
	}
	t.setSupply(uint32(t.len))
	if !t.lun.lends() && t.give > 0 {
		t.borrow(int(t.give))
	}
}

// execRead has nothing to do where the medium lends what is sent.
func execRead(t *task) {
	if t.buf == nil {
		return
	}
	if _, err := t.lun.medium.ReadAt(t.buf, t.off); err != nil {
		t.mediumError(false)
	}
}

func prepareWrite(t *task) {
	cdb := t.cdb
	switch scsi.OpcodeOf(&cdb) {
	case opWriteVerify10, opWriteVerify12, opWriteVerify16:
		// The same layout but for BYTCHK, which changes nothing: what was written is what is there.
		cdb[0] -= byte(opWriteVerify10 - scsi.OpWrite10)
		cdb[1] &^= 0x0f
	}
	w, err := scsi.ParseRW(&cdb)
	if err != nil {
		t.failCDB(err)
		return
	}
	if !t.extent(w.LBA, uint64(w.Blocks)) || !t.transferable(w.Protect, lengthOffset(&cdb)) || !t.writable() {
		return
	}
	t.need = uint32(t.len)
	t.forceUnit(w.FUA || cdb[0] != t.cdb[0])
}

// forceUnit says whether a change has to be stable before it is answered. It is settled here because the cache may be switched while
// the task is at a worker.
func (t *task) forceUnit(fua bool) {
	t.stable = fua || !t.lun.WriteCache
	if fua {
		t.lun.counters.FUAWrites++
	}
}

// execWrite writes what was collected; without a buffer it was written as it came.
func execWrite(t *task) {
	if t.buf != nil {
		if _, err := t.lun.medium.WriteAt(t.buf[:t.want], t.off); err != nil {
			t.mediumError(true)
			return
		}
	}
	if t.stable && t.len > 0 {
		t.sync()
	}
}

// sync makes the command's extent stable.
func (t *task) sync() {
	if err := t.lun.medium.Sync(t.off, t.len); err != nil {
		t.mediumError(true)
	}
}

func prepareSyncCache(t *task) {
	s, err := scsi.ParseSyncCache(&t.cdb)
	if err != nil {
		t.failCDB(err)
		return
	}
	if t.extent(s.LBA, uint64(s.Blocks)) {
		t.lun.counters.Syncs++
	}
}

// execSyncCache: no blocks are all of them from the LBA on (SBC-3), which is what the medium takes it for.
func execSyncCache(t *task) { t.sync() }

func preparePrefetch(t *task) {
	p, err := scsi.ParsePrefetch(&t.cdb)
	if err != nil {
		t.failCDB(err)
		return
	}
	t.extent(p.LBA, uint64(p.Blocks))
}
