package target_test

import (
	"bytes"
	"testing"

	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/iscsi/scsi"
	"github.com/hawser-storage/hawser/iscsi/target"
)

// Each volume of these tests has units of 4 KiB, which are lost whole. Its old content is promised.
const (
	units    = 64
	unitLen  = 4096
	powerLen = units * unitLen
)

var powerOn = scsi.NewSense(scsi.KeyUnitAttention, scsi.CodePowerOn)

// A volume is a LUN 0 with a session that may end.
type volume struct {
	*initiator
	rig   *rig
	block int
}

// volumes calls fn with a volume of every kind, whose old content is stable.
func volumes(t *testing.T, fn func(t *testing.T, v *volume)) {
	for name, c := range map[string]struct {
		spec  string
		block int
	}{
		"ram":      {"ram:256K,volatile=on", 512},
		"ram 4K":   {"ram:256K,volatile=on,block=4096", 4096},
		"not thin": {"ram:256K,volatile=on,thin=off", 512},
		"file":     {"file:" + t.TempDir() + "/disk,size=256K,volatile=on", 512},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, target.Config{}, c.spec)
			v := &volume{r.login(t, 0, nil), r, c.block}
			v.put(0, units, oldData(), false)
			v.sync(0, 0)
			fn(t, v)
			r.clean(t)
		})
	}
}

func oldData() []byte { return bytes.Repeat([]byte{1}, powerLen) }
func newData() []byte { return bytes.Repeat([]byte{2}, powerLen) }

func (v *volume) put(unit, n int, data []byte, fua bool) {
	v.t.Helper()
	var c scsi.CDB
	scsi.PutWrite(&c, uint64(unit*unitLen/v.block), uint32(n*unitLen/v.block), fua)
	v.ok(v.write(0, c, data[:n*unitLen]))
}

// sync is of everything from the unit on with n 0.
func (v *volume) sync(unit, n int) {
	v.t.Helper()
	var c scsi.CDB
	scsi.PutSyncCache16(&c, uint64(unit*unitLen/v.block), uint32(n*unitLen/v.block))
	v.ok(v.read(0, c, 0))
}

func (v *volume) losePower(seed uint64) (lost int) {
	v.t.Helper()
	lost = v.rig.Faults().PowerLoss(seed)
	v.relogin()
	return lost
}

// relogin takes the session's first answer.
func (v *volume) relogin() {
	v.t.Helper()
	v.closed()
	v.initiator = v.rig.login(v.t, 0, nil)
	if res := v.read(0, readCDB(0, 1), v.block); res.sense != powerOn {
		v.t.Fatalf("the first command after the power came back: %v: %v", res.status, res.sense)
	}
}

// content has a digit for each unit, what all of its bytes are.
func (v *volume) content() string {
	v.t.Helper()
	data := v.ok(v.read(0, readCDB(0, uint32(powerLen/v.block)), powerLen)).data
	s := make([]byte, units)
	for n := range s {
		unit := data[n*unitLen : (n+1)*unitLen]
		if !bytes.Equal(unit, bytes.Repeat(unit[:1], unitLen)) {
			v.t.Fatalf("unit %d is torn", n)
		}
		s[n] = '0' + unit[0]
	}
	return string(s)
}

func count(s, digit string) int { return bytes.Count([]byte(s), []byte(digit)) }

// mixed fails the test if not some of both are there, and lost of the one that is stable.
func mixed(t *testing.T, s, stable, fresh string, lost int) {
	t.Helper()
	a, b := count(s, stable), count(s, fresh)
	if a < units/8 || b < units/8 || a+b != len(s) || a != lost {
		t.Errorf("%d blocks lost, %d are old and %d new: %s", lost, a, b, s)
	}
}

func TestPowerLossBySeed(t *testing.T) {
	volumes(t, func(t *testing.T, v *volume) {
		seen := map[uint64]string{}
		for _, seed := range []uint64{1, 2, 1, 1 << 60} {
			v.put(0, units, newData(), false)
			lost := v.losePower(seed)
			s := v.content()
			mixed(t, s, "1", "2", lost)
			if last, ok := seen[seed]; ok && last != s {
				t.Errorf("seed %d: got %s, and %s before", seed, s, last)
			}
			seen[seed] = s
			if again := v.losePower(seed + 1); again != 0 || v.content() != s {
				t.Errorf("%d blocks lost that nobody wrote since the power came back", again)
			}
			v.put(0, units, oldData(), true)
		}
		if seen[1] == seen[2] || seen[1] == seen[1<<60] {
			t.Errorf("the seeds do the same: %v", seen)
		}
	})
}

func TestPowerLossKeepsPromises(t *testing.T) {
	for name, promise := range map[string]func(v *volume){
		"FUA": func(v *volume) { v.put(8, 16, newData(), true) },
		"SYNCHRONIZE CACHE of it": func(v *volume) {
			v.put(0, units, newData(), false)
			v.sync(8, 16)
		},
		"of everything": func(v *volume) {
			v.put(8, 16, newData(), false)
			v.sync(0, 0)
			v.put(0, 8, newData(), false)
		},
		"of what is behind": func(v *volume) {
			v.put(0, 24, newData(), false)
			v.sync(8, 0)
		},
		"WCE off": func(v *volume) {
			v.rig.Faults().SetWriteCache(0, false)
			v.read(0, scsi.CDB{}, 0) // unit attention
			v.put(8, 16, newData(), false)
		},
		"WCE switched off": func(v *volume) {
			v.put(8, 16, newData(), false)
			v.rig.Faults().SetWriteCache(0, false)
		},
	} {
		t.Run(name, func(t *testing.T) {
			volumes(t, func(t *testing.T, v *volume) {
				for seed := range uint64(4) {
					promise(v)
					v.losePower(seed)
					if s := v.content(); count(s[8:24], "2") != 16 {
						t.Errorf("not all of what was promised is there: %s", s)
					}
				}
			})
		})
	}
}

// TestPowerLossUnpromises: what another range was promised, or was before the write, helps none.
func TestPowerLossUnpromises(t *testing.T) {
	volumes(t, func(t *testing.T, v *volume) {
		v.sync(0, 0)
		v.put(0, units, newData(), false)
		v.sync(0, 8)
		v.put(8, 8, newData(), true)
		lost := v.losePower(5)
		s := v.content()
		if count(s[:16], "2") != 16 || count(s[16:], "1") != lost || lost == 0 || lost == units-16 {
			t.Errorf("%d blocks lost: %s", lost, s)
		}
	})
}

func TestPowerLossBringsZeroedBlocksBack(t *testing.T) {
	volumes(t, func(t *testing.T, v *volume) {
		blocks := uint32(powerLen / v.block)
		list := scsi.AppendUnmapList(nil, scsi.Range{LBA: 0, Blocks: blocks})
		var unmap, same scsi.CDB
		scsi.PutUnmap(&unmap, uint16(len(list)))
		scsi.PutWriteSame16(&same, 0, blocks, false, false)

		v.ok(v.write(0, same, newData()[:v.block]))
		mixed(t, v.afterLoss(7), "1", "2", count(v.content(), "1"))
		v.put(0, units, oldData(), true)
		if v.write(0, unmap, list).status == scsi.StatusGood { // it is thin
			mixed(t, v.afterLoss(7), "1", "0", count(v.content(), "1"))
		}
		v.ok(v.write(0, same, make([]byte, v.block)))
		v.sync(0, 0)
		v.put(0, units, oldData(), false)
		mixed(t, v.afterLoss(8), "0", "1", count(v.content(), "0"))
	})
}

func (v *volume) afterLoss(seed uint64) string {
	v.t.Helper()
	v.losePower(seed)
	return v.content()
}

// TestPowerLossIsTold: to each session, of each LUN, until it was heard; to one that was away, too, and to nobody twice.
func TestPowerLossIsTold(t *testing.T) {
	r := newRig(t, target.Config{}, "ram:1M,volatile=on", "null:1M")
	here, other := r.login(t, 0, nil), r.login(t, 1, nil)
	r.Faults().Drop(r.addrs[1], false)
	other.closed()
	r.Faults().PowerLoss(0)
	here.closed()
	for portal := range 2 {
		r.login(t, portal, nil) // it hears nothing
		for _, want := range []bool{true, false} {
			i := r.login(t, portal, nil)
			r.Faults().UnitAttention(0, scsi.CodeCapacityChanged) // of less weight
			for lun := range 2 {
				if got := i.read(lun, readCDB(0, 1), 512).sense == powerOn; got != want {
					t.Errorf("portal %d, LUN %d: told %v, want %v", portal, lun, got, want)
				}
				i.ok(i.read(lun, readCDB(0, 1), 512))
			}
		}
	}
	r.clean(t)
}

func TestPowerOff(t *testing.T) {
	volumes(t, func(t *testing.T, v *volume) {
		f := v.rig.Faults()
		f.PowerOff(1)
		if _, err := v.rig.tryLogin(t, 0, nil); err == nil {
			t.Error("login without power")
		}
		f.Up("")
		v.relogin()
		v.ok(v.read(0, readCDB(0, 1), v.block))
	})
}

// TestPowerLossEndsKeptWrites: the ghost dies with the target.
func TestPowerLossEndsKeptWrites(t *testing.T) {
	volumes(t, func(t *testing.T, v *volume) {
		ghost := v.rig.Faults().Add(target.Rule{Ops: target.Writes, Count: 1, Hold: true, Survive: true})
		w := v.command(0, writeCDB(0, 1), false, true, v.block)
		v.sendWrite(w, newData()[:v.block])
		eventually(t, "the write at the rule", func() bool { return ghost.Holding() == 1 })
		v.losePower(1)
		if n := ghost.Holding(); n != 0 {
			t.Errorf("the rule keeps %d writes", n)
		}
		ghost.Release()
		if s := v.content(); count(s, "1") != units {
			t.Errorf("the ghost wrote: %s", s)
		}
	})
}

// TestPowerLossWaitsForTheWorker: a write that is under way when the power goes is not promised, not even with FUA, and is over when the
// power is back. Until then nobody gets in.
func TestPowerLossWaitsForTheWorker(t *testing.T) {
	both := 0
	for seed := range uint64(8) {
		r := newRig(t, target.Config{}, "file:"+t.TempDir()+"/disk,size=256K,volatile=on")
		i := r.login(t, 0, nil)
		g := r.GateWrites(0)
		var c scsi.CDB
		scsi.PutWrite(&c, 0, 8, true)
		i.sendWrite(i.command(0, c, false, true, unitLen), newData()[:unitLen])
		<-g.Entered
		lost := make(chan int)
		go func() { lost <- r.Faults().PowerLoss(seed) }()
		i.closed()
		if _, err := r.tryLogin(t, 1, nil); err == nil {
			t.Error("login without power")
		}
		select {
		case <-lost:
			t.Error("the power came back before the write was over")
		default:
		}
		close(g.Gate)
		n := <-lost
		i = r.login(t, 0, nil)
		i.read(0, scsi.CDB{}, 0) // unit attention
		data := i.ok(i.read(0, readCDB(0, 8), unitLen)).data
		if allZero(data) != (n == 1) {
			t.Errorf("seed %d: %d blocks lost, zero %v", seed, n, allZero(data))
		}
		both |= 1 << n
		r.clean(t)
	}
	if both != 3 {
		t.Error("the write is always lost, or never")
	}
}

// TestPowerLossUnderLoad: sessions write, now and then with FUA, while the power goes again and again; each block has what it was last
// promised, or something later.
func TestPowerLossUnderLoad(t *testing.T) {
	for _, spec := range []string{"ram:256K,volatile=on", "file:" + t.TempDir() + "/disk,size=256K,volatile=on"} {
		r := newRig(t, target.Config{}, spec)
		promised, written := make([]byte, units), make([]byte, units)
		for round := range uint64(10) {
			i := r.login(t, 0, nil)
			i.read(0, scsi.CDB{}, 0) // unit attention
			over := make(chan int)
			enough := make(chan struct{})
			go func() {
				<-enough
				over <- r.Faults().PowerLoss(round)
			}()
			for n := 0; ; n++ {
				if n == 50 {
					close(enough)
				}
				unit, fua := n*7%units, n%3 == 0
				written[unit]++
				if !i.tryWrite(unit, written[unit], fua) {
					break
				}
				if fua {
					promised[unit] = written[unit]
				}
			}
			<-over
			i = r.login(t, 0, nil)
			i.read(0, scsi.CDB{}, 0) // unit attention
			data := i.ok(i.read(0, readCDB(0, powerLen/512), powerLen)).data
			for unit := range units {
				got := data[unit*unitLen]
				if got-promised[unit] > written[unit]-promised[unit] {
					t.Fatalf("round %d, unit %d: got write %d, %d was promised, %d the last", round, unit, got, promised[unit], written[unit])
				}
				promised[unit], written[unit] = got, got
			}
		}
		r.clean(t)
	}
}

// tryWrite writes a unit, unless the connection ends. No R2T comes for that little.
func (i *initiator) tryWrite(unit int, what byte, fua bool) bool {
	var c scsi.CDB
	scsi.PutWrite(&c, uint64(unit*unitLen/512), unitLen/512, fua)
	var b pdu.BHS
	i.command(0, c, false, true, unitLen).Encode(&b)
	if i.trySend(&b, bytes.Repeat([]byte{what}, unitLen)) != nil {
		return false
	}
	_, _, err := i.tryRecv()
	i.stat++
	return err == nil
}
