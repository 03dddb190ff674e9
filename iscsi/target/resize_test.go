package target_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hawser-storage/hawser/iscsi/scsi"
	"github.com/hawser-storage/hawser/iscsi/target"
)

func (i *initiator) blocks(lun int) uint64 {
	i.t.Helper()
	var c scsi.CDB
	scsi.PutReadCapacity16(&c, 32)
	got, err := scsi.ParseCapacity16(i.ok(i.read(lun, c, 32)).data)
	i.must(err)
	return got.Blocks
}

func TestResize(t *testing.T) {
	r := newRig(t, target.Config{},
		"ram:1M", "ram:1M,thin=off", "null:1M", "file:"+t.TempDir()+"/a,size=1M", "ram:1M,volatile=on", "file:"+t.TempDir()+"/b,size=1M,volatile=on")
	sessions := []*initiator{r.login(t, 0, nil), r.login(t, 1, nil)}
	i := sessions[0]
	beyond := scsi.NewSense(scsi.KeyIllegalRequest, scsi.CodeLBAOutOfRange)
	changed := scsi.NewSense(scsi.KeyUnitAttention, scsi.CodeCapacityChanged)
	data, keeps := pattern(1, 4096), func(lun int) bool { return lun != 2 }
	for lun := range 6 {
		i.ok(i.write(lun, writeCDB(2000, 8), data))
		for _, blocks := range []uint64{5000, 2010, 4096} {
			if err := r.Faults().Resize(lun, blocks*512); err != nil {
				t.Fatal(err)
			}
			for n, s := range sessions {
				if res := s.read(lun, readCDB(0, 1), 512); res.sense != changed {
					t.Errorf("LUN %d, session %d: %v: %v", lun, n, res.status, res.sense)
				}
				if got := s.blocks(lun); got != blocks {
					t.Errorf("LUN %d, session %d: got %d blocks, want %d", lun, n, got, blocks)
				}
			}
			if res := i.write(lun, writeCDB(blocks-7, 8), data); res.sense != beyond {
				t.Errorf("LUN %d: WRITE beyond the end of %d blocks: %v: %v", lun, blocks, res.status, res.sense)
			}
			if got := i.ok(i.read(lun, readCDB(blocks-2, 2), 1024)).data; !allZero(got) {
				t.Errorf("LUN %d: the last of %d blocks are not zero", lun, blocks)
			}
			if blocks != 2010 {
				i.ok(i.write(lun, writeCDB(blocks-8, 8), data))
			}
			for at, was := range map[uint64]bool{2000: true, blocks - 8: blocks != 2010} {
				if got := i.ok(i.read(lun, readCDB(at, 8), 4096)).data; was && keeps(lun) && !bytes.Equal(got, data) {
					t.Errorf("LUN %d of %d blocks: what was written at %d is not there", lun, blocks, at)
				}
			}
		}
	}
	r.clean(t)
}

func TestResizeRefused(t *testing.T) {
	r := newRig(t, target.Config{}, "ram:1M,block=4096")
	i := r.login(t, 0, nil)
	for _, c := range []struct {
		lun  int
		size uint64
		want string
	}{{1, 1 << 20, "no LUN 1"}, {-1, 1 << 20, "no LUN"}, {0, 0, "multiple"}, {0, 512, "multiple"}, {0, 1 << 63, "no more"}, {0, 1 << 62, ""}} {
		if err := r.Faults().Resize(c.lun, c.size); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("LUN %d, %d bytes: got %v, want %q in it", c.lun, c.size, err, c.want)
		}
	}
	if got := i.blocks(0); got != 256 {
		t.Errorf("%d blocks", got)
	}
	r.clean(t)
}

// TestShrunkUnderACommand: one that was within the unit when it came is held against the new end.
func TestShrunkUnderACommand(t *testing.T) {
	for _, spec := range []string{"ram:1M", "null:1M", "file:" + t.TempDir() + "/disk,size=1M"} {
		r := newRig(t, target.Config{}, spec)
		i := r.login(t, 0, nil)
		hold := r.Faults().Add(target.Rule{Count: 2, Hold: true})
		w, rd := i.command(0, writeCDB(2047, 1), false, true, 512), i.command(0, readCDB(2047, 1), true, false, 512)
		i.sendWrite(w, pattern(1, 512))
		i.sendCommand(rd, nil)
		eventually(t, "both at the rule", func() bool { return hold.Holding() == 2 })
		if err := r.Faults().Resize(0, 512<<10); err != nil {
			t.Fatal(err)
		}
		hold.Release()
		answers := map[uint32]*scsi.Sense{w.ITT: nil, rd.ITT: nil}
		for range answers {
			itt, sense := i.anyAnswer()
			answers[itt] = &sense
		}
		for _, c := range []uint32{w.ITT, rd.ITT} {
			if s := answers[c]; s == nil || *s != scsi.NewSense(scsi.KeyIllegalRequest, scsi.CodeLBAOutOfRange) {
				t.Errorf("%s, task %d: %v", spec, c, s)
			}
		}
		r.clean(t)
	}
}

// TestResizeWaitsForTheWorker: a write that is under way ends before the file is cut.
func TestResizeWaitsForTheWorker(t *testing.T) {
	r := fileRig(t)
	i := r.login(t, 0, nil)
	g, c := r.busy(t, i)
	resized := make(chan error)
	go func() { resized <- r.Faults().Resize(0, 4096) }()
	select {
	case <-resized:
		t.Error("resized in the middle of a write")
	case g.Gate <- struct{}{}:
	}
	i.ok(i.finish(c, pattern(1, 512)))
	if err := <-resized; err != nil {
		t.Error(err)
	}
	r.clean(t)
}

func TestReadOnlySwitched(t *testing.T) {
	r := newRig(t, target.Config{}, "ram:1M")
	i := r.login(t, 0, nil)
	for _, on := range []bool{true, false} {
		r.Faults().SetReadOnly(0, on)
		if res := i.read(0, scsi.CDB{}, 0); res.sense != scsi.NewSense(scsi.KeyUnitAttention, scsi.CodeModeParametersChanged) {
			t.Errorf("%v: %v", res.status, res.sense)
		}
		if got := i.write(0, writeCDB(0, 1), make([]byte, 512)).sense.Key == scsi.KeyDataProtect; got != on {
			t.Errorf("read-only: got %v, want %v", got, on)
		}
	}
	r.clean(t)
}
