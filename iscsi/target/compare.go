package target

import (
	"bytes"
	"encoding/binary"

	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// verify12as16 gives VERIFY(12) the layout of VERIFY(16).
func verify12as16(c *scsi.CDB) scsi.CDB {
	v := scsi.CDB{byte(scsi.OpVerify16), c[1], 15: c[11]}
	binary.BigEndian.PutUint64(v[2:], uint64(binary.BigEndian.Uint32(c[2:])))
	copy(v[10:14], c[6:10])
	return v
}

func prepareVerify(t *task) {
	cdb := t.cdb
	if scsi.OpcodeOf(&cdb) == opVerify12 {
		cdb = verify12as16(&cdb)
	}
	v, err := scsi.ParseVerify(&cdb)
	if err != nil {
		t.failCDB(err)
		return
	}
	if !t.extent(v.LBA, uint64(v.Blocks)) || !t.transferable(v.Protect, lengthOffset(&t.cdb)) {
		return
	}
	switch {
	case v.ByteCheck == 1:
		t.need = uint32(t.len)
	case v.ByteCheck == 3 && t.len > 0:
		t.need, t.pattern = t.lun.BlockSize, true
	}
}

func execVerify(t *task) {
	if t.want == 0 {
		return
	}
	step, n := int64(t.want), int64(t.want)
	if t.pattern {
		n = t.len
	}
	for done := int64(0); done < n; done += step {
		if !t.compare(t.buf[:step], t.off+done) {
			return
		}
	}
}

// compare holds want against the medium, and reports the first byte that differs.
func (t *task) compare(want []byte, off int64) bool {
	have := make([]byte, len(want))
	if _, err := t.lun.medium.ReadAt(have, off); err != nil {
		t.mediumError(false)
		return false
	}
	if bytes.Equal(have, want) {
		return true
	}
	at := 0
	for have[at] == want[at] {
		at++
	}
	s := scsi.NewSense(scsi.KeyMiscompare, scsi.CodeMiscompare)
	s.Information, s.InfoValid = uint64(at), true
	t.fail(s)
	return false
}

// maxCompareAndWrite is in blocks.
const maxCompareAndWrite = 255

func prepareCompareAndWrite(t *task) {
	c, err := scsi.ParseCompareAndWrite(&t.cdb)
	if err != nil {
		t.failCDB(err)
		return
	}
	if !t.extent(c.LBA, uint64(c.Blocks)) || !t.transferable(c.Protect, 13) || !t.writable() {
		return
	}
	t.need = 2 * uint32(t.len)
	t.forceUnit(c.FUA)
	if t.edtl != t.need {
		t.fail(scsi.InvalidFieldInCDB(13))
	}
}

func execCompareAndWrite(t *task) {
	if t.want == 0 {
		return
	}
	half := t.want / 2
	if !t.compare(t.buf[:half], t.off) {
		return
	}
	if _, err := t.lun.medium.WriteAt(t.buf[half:t.want], t.off); err != nil {
		t.mediumError(true)
		return
	}
	if t.stable {
		t.sync()
	}
}
