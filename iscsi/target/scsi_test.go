package target_test

import (
	"bytes"
	"testing"

	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/iscsi/scsi"
	"github.com/hawser-storage/hawser/iscsi/target"
)

// vpd reads a VPD page.
func (i *initiator) vpd(lun int, page scsi.VPDPage) []byte {
	i.t.Helper()
	var c scsi.CDB
	scsi.PutInquiry(&c, true, uint8(page), 1024)
	return i.ok(i.read(lun, c, 1024)).data
}

// TestOneVolume: a LUN is the same one at both portals, and each portal says which one it is.
func TestOneVolume(t *testing.T) {
	r := newRig(t, target.Config{}, "ram:1M", "ram:1M,naa=60014050000000000000000000000001,serial=A1")
	var ids []string
	for portal := range 2 {
		i := r.login(t, portal, nil)
		for lun := range 2 {
			ds, err := scsi.ParseDesignators(i.vpd(lun, scsi.VPDIdentification))
			if err != nil {
				t.Fatal(err)
			}
			d, ok := scsi.LUNIdentity(ds)
			serial, err := scsi.ParseSerial(i.vpd(lun, scsi.VPDSerial))
			if !ok || err != nil {
				t.Fatal(ds, err)
			}
			ids = append(ids, d.String()+" "+serial)
			group, _ := scsi.TargetPortGroup(ds)
			port, _ := scsi.RelativeTargetPort(ds)
			if int(group) != portal+1 || int(port) != portal+1 {
				t.Errorf("portal %d: group %d, port %d", portal, group, port)
			}
		}
	}
	if ids[0] != ids[2] || ids[1] != ids[3] || ids[0] == ids[1] || ids[1] != "naa.60014050000000000000000000000001 A1" {
		t.Errorf("%q", ids)
	}
}

func TestInquiryOfNoUnit(t *testing.T) {
	r := newRig(t, target.Config{}, "ram:1M")
	i := r.login(t, 0, nil)
	for lun, present := range map[int]bool{0: true, 1: false, 300: false} {
		d, err := scsi.ParseInquiryData(i.ok(i.read(lun, scsi.CDB{byte(scsi.OpInquiry), 4: 96}, 96)).data)
		if err != nil || d.Present() != present {
			t.Errorf("LUN %d: %+v, %v", lun, d, err)
		}
	}
}

func TestReportLUNs(t *testing.T) {
	r := newRig(t, target.Config{}, "ram:1M", "null:1G", "null:1G")
	i := r.login(t, 0, nil)
	var c scsi.CDB
	scsi.PutReportLUNs(&c, 64)
	list, err := scsi.ParseLUNList(i.ok(i.read(0, c, 64)).data)
	if err != nil || len(list) != 3 || list[2] != 2<<48 {
		t.Errorf("%x, %v", list, err)
	}
}

func TestCapacities(t *testing.T) {
	r := newRig(t, target.Config{}, "null:4T", "ram:8M,block=4096,ro=on,wce=on")
	i := r.login(t, 0, nil)
	for lun, want := range []scsi.Capacity{
		{Blocks: 8 << 30, BlockSize: 512, LBPPBE: 3},
		{Blocks: 2048, BlockSize: 4096, LBPME: true, LBPRZ: true},
	} {
		var c scsi.CDB
		scsi.PutReadCapacity16(&c, 32)
		if got, err := scsi.ParseCapacity16(i.ok(i.read(lun, c, 32)).data); err != nil || got != want {
			t.Errorf("LUN %d: got %+v, %v, want %+v", lun, got, err, want)
		}
	}
	m, err := scsi.ParseMode6(i.ok(i.read(1, scsi.CDB{byte(scsi.OpModeSense6), 2: 0x3f, 4: 255}, 255)).data)
	if err != nil || !m.WriteProtected || !m.Caching.WCE || !m.DPOFUA || !m.HasControl {
		t.Errorf("MODE SENSE: %+v, %v", m, err)
	}
}

func TestProvisioning(t *testing.T) {
	r := newRig(t, target.Config{}, "ram:4M")
	i := r.login(t, 0, nil)
	i.ok(i.write(0, writeCDB(0, 1000), pattern(1, 512000)))
	list := scsi.AppendUnmapList(nil, scsi.Range{LBA: 8, Blocks: 8}, scsi.Range{LBA: 100, Blocks: 1})
	var c scsi.CDB
	scsi.PutUnmap(&c, uint16(len(list)))
	i.ok(i.write(0, c, list))
	scsi.PutWriteSame16(&c, 200, 300, true, true)
	i.ok(i.read(0, c, 0))
	block := pattern(9, 512)
	scsi.PutWriteSame16(&c, 600, 3, false, false)
	i.ok(i.write(0, c, block))

	got := i.ok(i.read(0, readCDB(0, 1000), 512000)).data
	want := pattern(1, 512000)
	clear(want[8*512 : 16*512])
	clear(want[100*512 : 101*512])
	clear(want[200*512 : 500*512])
	for n := range 3 {
		copy(want[(600+n)*512:], block)
	}
	if !bytes.Equal(got, want) {
		t.Error("UNMAP and WRITE SAME left something else than they should")
	}
	snap := r.Snapshot().LUNs[0]
	if snap.Unmaps != 2 || snap.Count(scsi.OpUnmap) != 1 || snap.Count(scsi.OpWriteSame16) != 2 || snap.ReadBytes != 512000 {
		t.Errorf("counters: %d unmaps, %d bytes read", snap.Unmaps, snap.ReadBytes)
	}

	bad := scsi.AppendUnmapList(nil, scsi.Range{LBA: 0, Blocks: 1}, scsi.Range{LBA: 8190, Blocks: 8})
	scsi.PutUnmap(&c, uint16(len(bad)))
	if res := i.write(0, c, bad); res.sense != scsi.NewSense(scsi.KeyIllegalRequest, scsi.CodeLBAOutOfRange) {
		t.Errorf("UNMAP beyond the end: %v: %v", res.status, res.sense)
	}
	if first := i.ok(i.read(0, readCDB(0, 1), 512)).data; !bytes.Equal(first, want[:512]) {
		t.Error("a refused UNMAP did something")
	}
	r.clean(t)
}

func TestCompareAndWrite(t *testing.T) {
	r := newRig(t, target.Config{}, "ram:1M")
	i := r.login(t, 0, nil)
	c := scsi.CDB{byte(scsi.OpCompareAndWrite), 9: 5, 13: 1}
	old, fresh := make([]byte, 512), pattern(3, 512)
	i.ok(i.write(0, c, append(old, fresh...)))
	res := i.write(0, c, append(make([]byte, 512), pattern(4, 512)...))
	if res.sense.Key != scsi.KeyMiscompare || res.sense.Code() != scsi.CodeMiscompare || res.sense.Information != 0 {
		t.Errorf("%v: %v", res.status, res.sense)
	}
	if got := i.ok(i.read(0, readCDB(5, 1), 512)).data; !bytes.Equal(got, fresh) {
		t.Error("the block is not the one that was written")
	}
	r.clean(t)
}

// TestBufferLimit: commands that are kept hold no more memory than there is, and the next one is told so.
func TestBufferLimit(t *testing.T) {
	r := newRig(t, target.Config{Force: map[string]string{"ImmediateData": "No"}}, "null:1G")
	hold := r.Faults().Add(target.Rule{Ops: target.Writes, Hold: true})
	i := r.login(t, 0, nil)
	full := 0
	for range 20 {
		i.sendCommand(i.command(0, writeCDB(0, 32768), false, true, 16<<20), nil)
	}
	i.ok(i.finishOther(&full))
	if full == 0 {
		t.Error("20 commands of 16 MiB were all accepted")
	}
	hold.Release()
}

// finishOther counts TASK SET FULL, and ends with a command that needs no memory.
func (i *initiator) finishOther(full *int) result {
	i.t.Helper()
	last := i.command(0, scsi.CDB{}, false, false, 0)
	i.sendCommand(last, nil)
	for {
		b, _ := i.recv()
		var p respHeader
		if !p.decode(b) {
			continue // an R2T
		}
		if p.itt == last.ITT {
			return result{status: p.status}
		}
		if p.status == scsi.StatusTaskSetFull {
			*full++
		}
	}
}

// respHeader is what counts of a SCSI Response.
type respHeader struct {
	itt    uint32
	status scsi.Status
}

func (r *respHeader) decode(b *pdu.BHS) bool {
	var p pdu.SCSIResponse
	if p.Decode(b) != nil {
		return false
	}
	r.itt, r.status = p.ITT, scsi.Status(p.Status)
	return true
}
