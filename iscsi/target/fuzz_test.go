package target_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/iscsi/login"
	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/iscsi/scsi"
	"github.com/hawser-storage/hawser/iscsi/target"
)

// TestHostileInitiator sends what nobody should, for a while, from one seed: PDUs at random, with numbers that are right often enough
// to get somewhere. The target must live, and serve the next one.
func TestHostileInitiator(t *testing.T) {
	r := newRig(t, target.Config{Lenient: true}, "ram:1M", "null:1G", "file:"+t.TempDir()+"/disk,size=1M")
	rnd := rand.New(rand.NewPCG(1, 2))
	end := time.Now().Add(2 * time.Second)
	for n := 0; n < 300 && time.Now().Before(end); n++ {
		i := r.login(t, 0, func(c *login.InitiatorConfig) { c.InitiatorName = "iqn.2026-11.io.hawser:hostile" })
		_ = i.conn.SetDeadline(time.Now().Add(50 * time.Millisecond))
		for range 1 + rnd.IntN(40) {
			if !i.sendRandom(rnd) {
				break
			}
		}
		_ = i.conn.Close()
	}
	i := r.login(t, 1, nil)
	i.ok(i.read(1, scsi.CDB{byte(scsi.OpStartStopUnit), 4: 1}, 0)) // somebody may have stopped it
	i.ok(i.read(1, readCDB(0, 8), 4096))
}

// sendRandom is false when the target has had enough.
func (i *initiator) sendRandom(rnd *rand.Rand) bool {
	var b pdu.BHS
	for n := range b {
		b[n] = byte(rnd.Uint32())
	}
	op := []pdu.Opcode{
		pdu.OpNOPOut, pdu.OpSCSICommand, pdu.OpSCSICommand, pdu.OpSCSICommand, pdu.OpTaskMgmtRequest, pdu.OpTextRequest, pdu.OpDataOut,
		pdu.OpLogoutRequest, pdu.OpSNACK,
	}[rnd.IntN(9)]
	b[0] = byte(op) | byte(rnd.IntN(2))<<6
	data := make([]byte, rnd.IntN(3)*rnd.IntN(2048))
	if op == pdu.OpSCSICommand && rnd.IntN(4) > 0 {
		i.tame(&b, rnd, len(data))
	}
	if op == pdu.OpDataOut && rnd.IntN(2) > 0 {
		(&pdu.DataOut{Final: true, ITT: i.itt, TTT: uint32(rnd.IntN(5)), ExpStatSN: i.stat}).Encode(&b)
	}
	i.buf = pdu.AppendFrame(i.buf[:0], &b, nil, data, false, false)
	_, err := i.conn.Write(i.buf)
	return err == nil
}

// tame makes a command that gets past the first checks: a CDB of an opcode that there is, at random.
func (i *initiator) tame(b *pdu.BHS, rnd *rand.Rand, data int) {
	var c pdu.SCSICommand
	c.Write = data > 0 || rnd.IntN(2) == 0
	c.Read, c.Final = !c.Write, true
	c.ExpectedDataTransferLength = uint32(data + rnd.IntN(4096))
	c.LUN = pdu.LUN(rnd.IntN(4)) << 48
	c.CmdSN, c.ExpStatSN = i.cmdSN, i.stat
	i.cmdSN++
	i.itt++
	c.ITT = i.itt
	for n := range c.CDB {
		if rnd.IntN(3) == 0 {
			c.CDB[n] = byte(rnd.Uint32())
		}
	}
	ops := []byte{0x00, 0x03, 0x12, 0x1a, 0x1b, 0x25, 0x28, 0x2a, 0x2e, 0x2f, 0x34, 0x35, 0x41, 0x42, 0x5a, 0x88, 0x89, 0x8a, 0x8f, 0x93, 0x9e, 0xa0, 0xa3, 0xa8, 0xaa}
	c.CDB[0] = ops[rnd.IntN(len(ops))]
	c.Encode(b)
}
