package target

import (
	"bytes"
	"encoding/binary"

	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// What VPD page B0 tells.
const (
	maxWriteSame   = maxTransfer // bytes
	maxUnmap       = 512 << 20   // bytes
	maxUnmapRanges = 256
)

func prepareUnmap(t *task) {
	u, err := scsi.ParseUnmap(&t.cdb)
	switch {
	case err != nil:
		t.failCDB(err)
	case !t.lun.Thin:
		t.failCode(scsi.KeyIllegalRequest, scsi.CodeInvalidOpcode)
	case u.Anchor:
		t.fail(scsi.InvalidFieldInCDB(1))
	case t.writable():
		t.need, t.stable = uint32(u.ParamLen), !t.lun.WriteCache
		t.lun.counters.Unmaps++
	}
}

func execUnmap(t *task) {
	list, err := scsi.ParseUnmapList(t.buf[:t.want])
	if err != nil {
		t.failCode(scsi.KeyIllegalRequest, scsi.CodeParameterListLength)
		return
	}
	if !t.checkUnmap(list) {
		return
	}
	for i := range list.Len() {
		r := list.At(i)
		if err := t.unmap(int64(r.LBA<<t.lun.shift), int64(r.Blocks)<<t.lun.shift); err != nil {
			t.mediumError(true)
			return
		}
	}
}

func (t *task) unmap(off, n int64) error {
	if n == 0 {
		return nil
	}
	err := t.lun.medium.Zero(off, n, true)
	if err == nil && t.stable {
		err = t.lun.medium.Sync(off, n)
	}
	return err
}

// checkUnmap looks at all ranges before anything is done to the first.
func (t *task) checkUnmap(list scsi.UnmapList) bool {
	total := uint64(0)
	for i := range list.Len() {
		r := list.At(i)
		total += uint64(r.Blocks)
		if !scsi.InRange(r.LBA, uint64(r.Blocks), t.lun.blocks.Load()) {
			t.failCode(scsi.KeyIllegalRequest, scsi.CodeLBAOutOfRange)
			return false
		}
	}
	if list.Len() > maxUnmapRanges || total > maxUnmap>>t.lun.shift {
		t.failCode(scsi.KeyIllegalRequest, scsi.CodeInvalidFieldInParameterList)
		return false
	}
	return true
}

func prepareWriteSame(t *task) {
	w, err := scsi.ParseWriteSame(&t.cdb)
	if err != nil {
		t.failCDB(err)
		return
	}
	switch {
	case w.Anchor, w.Unmap && !t.lun.Thin, w.Protect != 0:
		t.fail(scsi.InvalidFieldInCDB(1))
		return
	case !t.extent(w.LBA, uint64(w.Blocks)):
		return
	case w.Blocks == 0, t.len > maxWriteSame: // WSNZ
		t.fail(scsi.InvalidFieldInCDB(lengthOffset(&t.cdb)))
		return
	case !t.writable():
		return
	}
	t.flag, t.stable = w.Unmap, !t.lun.WriteCache
	if w.Unmap {
		t.lun.counters.Unmaps++
	}
	if w.NDOB {
		return
	}
	t.need = t.lun.BlockSize
	if t.edtl != t.need {
		t.fail(scsi.InvalidFieldInCDB(lengthOffset(&t.cdb)))
	}
}

func execWriteSame(t *task) {
	block := t.buf[:t.want]
	var err error
	if bytes.Equal(block, zeroes[:len(block)]) {
		err = t.lun.medium.Zero(t.off, t.len, t.flag)
	} else {
		err = repeat(t.lun.medium, block, t.off, t.len)
	}
	if err != nil {
		t.mediumError(true)
		return
	}
	if t.stable {
		t.sync()
	}
}

// repeat fills an extent with copies of a block.
func repeat(m medium, block []byte, off, n int64) error {
	const chunk = 64 << 10
	buf := bytes.Repeat(block, int(min(n, max(chunk, int64(len(block)))))/len(block))
	for n > 0 {
		part := min(n, int64(len(buf)))
		if _, err := m.WriteAt(buf[:part], off); err != nil {
			return err
		}
		off, n = off+part, n-part
	}
	return nil
}

const (
	lbaStatusHeader = 8
	lbaStatusLen    = 16
	maxLBAStatus    = 64 // descriptors
)

func prepareGetLBAStatus(t *task) {
	g, err := scsi.ParseGetLBAStatus(&t.cdb)
	if err != nil {
		t.failCDB(err)
		return
	}
	if !t.lun.Thin {
		t.fail(scsi.InvalidFieldInCDB(1))
		return
	}
	if !t.extent(g.LBA, 1) {
		return
	}
	n := max(1, min((int(g.Alloc)-lbaStatusHeader)/lbaStatusLen, maxLBAStatus))
	t.count = uint64(n)
	t.setSupply(uint32(min(lbaStatusHeader+n*lbaStatusLen, int(g.Alloc))))
	t.borrow(lbaStatusHeader + n*lbaStatusLen)
}

// execGetLBAStatus fills in descriptors until they or the unit end. Those that were not needed describe nothing: the unit has ended.
func execGetLBAStatus(t *task) {
	clear(t.buf)
	off, size := t.off, t.lun.size()
	at := lbaStatusHeader
	for i := uint64(0); i < t.count && off < size; i++ {
		mapped, n := t.lun.medium.Mapped(off)
		n = max(n>>t.lun.shift<<t.lun.shift, int64(t.lun.BlockSize))
		n = min(n, size-off, int64(1<<32-1)<<t.lun.shift)
		d := t.buf[at : at+lbaStatusLen]
		binary.BigEndian.PutUint64(d, uint64(off)>>t.lun.shift)
		binary.BigEndian.PutUint32(d[8:], uint32(n>>t.lun.shift))
		if !mapped {
			d[12] = 1 // deallocated
		}
		off, at = off+n, at+lbaStatusLen
	}
	binary.BigEndian.PutUint32(t.buf, uint32(at-4))
	t.setSupply(min(t.supply, uint32(at)))
}
