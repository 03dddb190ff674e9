package target_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/hawser-storage/hawser/iscsi/login"
	"github.com/hawser-storage/hawser/iscsi/scsi"
	"github.com/hawser-storage/hawser/iscsi/target"
)

// forces are the ways in which data can travel.
var forces = map[string]map[string]string{
	"default":      nil,
	"digests":      {"HeaderDigest": "CRC32C", "DataDigest": "CRC32C"},
	"R2T only":     {"InitialR2T": "Yes", "ImmediateData": "No"},
	"immediate":    {"InitialR2T": "Yes", "ImmediateData": "Yes", "FirstBurstLength": "1024"},
	"unsolicited":  {"ImmediateData": "No", "FirstBurstLength": "2048", "MaxRecvDataSegmentLength": "512"},
	"short bursts": {"MaxBurstLength": "1536", "FirstBurstLength": "512", "MaxRecvDataSegmentLength": "1000"},
	"one R2T":      {"MaxOutstandingR2T": "1", "MaxBurstLength": "4096", "InitialR2T": "Yes"},
}

func TestReadWrite(t *testing.T) {
	for name, force := range forces {
		for _, kind := range []string{"ram", "file", "separate status"} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				spec := "ram:4M"
				if kind == "file" {
					spec = "file:" + filepath.Join(t.TempDir(), "disk") + ",size=4M"
				}
				r := newRig(t, target.Config{Force: force}, spec)
				if kind == "separate status" {
					r.Faults().SetShape(target.Shape{SeparateStatus: true, Sizes: []uint32{511, 3, 1000}, Sequence: 1234})
				}
				i := r.login(t, 0, func(c *login.InitiatorConfig) {
					c.MaxRecvDataSegmentLength = 1500
					c.HeaderDigest, c.DataDigest = []string{"None", "CRC32C"}, []string{"None", "CRC32C"}
				})
				roundTrips(t, i)
				r.clean(t)
			})
		}
	}
}

func roundTrips(t *testing.T, i *initiator) {
	for n, blocks := range []uint32{1, 2, 3, 8, 31, 300} {
		data := pattern(byte(n), int(blocks)*512)
		lba := uint64(n * 400)
		if res := i.ok(i.write(0, writeCDB(lba, blocks), data)); res.over+res.under != 0 {
			t.Fatalf("WRITE of %d blocks: residual %d %d", blocks, res.over, res.under)
		}
		res := i.ok(i.read(0, readCDB(lba, blocks), len(data)))
		if !bytes.Equal(res.data, data) {
			t.Fatalf("%d blocks: read back %d bytes that are not what was written", blocks, len(res.data))
		}
		if res.over+res.under != 0 {
			t.Fatalf("READ of %d blocks: residual %d %d", blocks, res.over, res.under)
		}
	}
}

// TestNegotiatedWays makes sure that the tables above do what they say.
func TestNegotiatedWays(t *testing.T) {
	r := newRig(t, target.Config{Force: forces["R2T only"]}, "null:1M")
	i := r.login(t, 0, nil)
	if res := i.ok(i.write(0, writeCDB(0, 4), make([]byte, 2048))); res.r2ts != 1 {
		t.Errorf("%d R2Ts, want 1", res.r2ts)
	}
	r = newRig(t, target.Config{}, "null:1M")
	i = r.login(t, 0, nil)
	if res := i.ok(i.write(0, writeCDB(0, 4), make([]byte, 2048))); res.r2ts != 0 {
		t.Errorf("%d R2Ts, want 0", res.r2ts)
	}
	if res := i.ok(i.read(0, readCDB(0, 4), 2048)); !res.collapse || res.dataPDUs != 1 {
		t.Errorf("%d Data-In, status in the last one: %v", res.dataPDUs, res.collapse)
	}
}

func TestResiduals(t *testing.T) {
	r := newRig(t, target.Config{}, "ram:1M")
	i := r.login(t, 0, nil)
	for _, c := range []struct {
		edtl, over, under int
	}{
		{1024, 0, 0}, {2048, 0, 1024}, {512, 512, 0}, {700, 324, 0}, {0, 1024, 0},
	} {
		t.Run(fmt.Sprint(c.edtl), func(t *testing.T) {
			res := i.ok(i.read(0, readCDB(0, 2), c.edtl))
			if int(res.over) != c.over || int(res.under) != c.under || len(res.data) != min(1024, c.edtl) {
				t.Errorf("READ: %d over, %d under, %d bytes", res.over, res.under, len(res.data))
			}
			res = i.ok(i.write(0, writeCDB(0, 2), make([]byte, c.edtl)))
			if int(res.over) != c.over || int(res.under) != c.under {
				t.Errorf("WRITE: %d over, %d under", res.over, res.under)
			}
		})
	}
	r.clean(t)
}

// TestRefusals has what a unit does not do, and the sense that says so.
func TestRefusals(t *testing.T) {
	r := newRig(t, target.Config{}, "ram:1M", "ram:1M,ro=on,thin=off")
	i := r.login(t, 0, nil)
	for name, c := range map[string]struct {
		lun   int
		cdb   scsi.CDB
		write bool
		n     int
		want  scsi.Sense
	}{
		"beyond the end":     {0, readCDB(2047, 2), false, 1024, scsi.NewSense(scsi.KeyIllegalRequest, scsi.CodeLBAOutOfRange)},
		"write beyond":       {0, writeCDB(2048, 1), true, 512, scsi.NewSense(scsi.KeyIllegalRequest, scsi.CodeLBAOutOfRange)},
		"far beyond":         {0, readCDB(1<<63, 2), false, 1024, scsi.NewSense(scsi.KeyIllegalRequest, scsi.CodeLBAOutOfRange)},
		"no unit":            {7, readCDB(0, 1), false, 512, scsi.NewSense(scsi.KeyIllegalRequest, scsi.CodeLUNotSupported)},
		"no unit, write":     {7, writeCDB(0, 1), true, 512, scsi.NewSense(scsi.KeyIllegalRequest, scsi.CodeLUNotSupported)},
		"no opcode":          {0, scsi.CDB{0xc1}, false, 0, scsi.NewSense(scsi.KeyIllegalRequest, scsi.CodeInvalidOpcode)},
		"no opcode, no unit": {7, scsi.CDB{0xc1}, false, 0, scsi.NewSense(scsi.KeyIllegalRequest, scsi.CodeLUNotSupported)},
		"bad service action": {0, scsi.CDB{0x9e, 0x1f}, false, 0, scsi.InvalidFieldInCDB(1)},
		"read-only":          {1, writeCDB(0, 1), true, 512, scsi.NewSense(scsi.KeyDataProtect, scsi.CodeWriteProtected)},
		"UNMAP, not thin":    {1, scsi.CDB{0x42, 8: 24}, true, 24, scsi.NewSense(scsi.KeyIllegalRequest, scsi.CodeInvalidOpcode)},
		"protection":         {0, scsi.CDB{0x28, 0x20, 8: 1}, false, 512, scsi.InvalidFieldInCDB(1)},
		"VPD page":           {0, scsi.CDB{0x12, 1, 0xc5, 0, 0xff}, false, 255, scsi.InvalidFieldInCDB(2)},
		"mode page":          {0, scsi.CDB{0x1a, 0, 0x3e, 0, 0xff}, false, 255, scsi.InvalidFieldInCDB(2)},
	} {
		t.Run(name, func(t *testing.T) {
			var res result
			if c.write {
				res = i.write(c.lun, c.cdb, make([]byte, c.n))
			} else {
				res = i.read(c.lun, c.cdb, c.n)
			}
			if res.status != scsi.StatusCheckCondition || res.sense != c.want {
				t.Errorf("got %v: %v\nwant %v", res.status, res.sense, c.want)
			}
		})
	}
	r.clean(t)
}
