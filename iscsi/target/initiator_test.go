package target_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/iscsi/login"
	"github.com/hawser-storage/hawser/iscsi/pdu"
	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// initiator is a small one that does as it is told: it has the numbers of a session, and lets a test break every rule.
type initiator struct {
	t     testing.TB
	conn  net.Conn
	par   *login.Params
	cmdSN pdu.Serial
	stat  pdu.Serial // ExpStatSN
	itt   uint32
	buf   []byte
}

const initiatorName = "iqn.2026-11.io.hawser:test"

// login returns when the target, too, has the session in full feature phase.
func (r *rig) login(t testing.TB, portal int, change func(*login.InitiatorConfig)) *initiator {
	t.Helper()
	i, err := r.tryLogin(t, portal, change)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "adoption of the session", func() bool { return r.Adopted(i.par.TSIH) })
	return i
}

func (r *rig) tryLogin(t testing.TB, portal int, change func(*login.InitiatorConfig)) (*initiator, error) {
	t.Helper()
	conn, err := net.Dial("tcp", r.addrs[portal])
	if err != nil {
		return nil, err
	}
	cfg := &login.InitiatorConfig{
		InitiatorName: initiatorName, TargetName: r.IQN(), ISID: [6]byte{0x80, 0, 0, 0, 0, byte(portal)},
		HeaderDigest: []string{"None"}, DataDigest: []string{"None"},
	}
	if change != nil {
		change(cfg)
	}
	par, err := login.Initiate(context.Background(), conn, cfg)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if err := conn.SetDeadline(time.Now().Add(3 * time.Minute)); err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &initiator{t: t, conn: conn, par: par, cmdSN: par.CmdSN, stat: par.ExpStatSN, itt: 1, buf: make([]byte, 0, 1<<20)}, nil
}

// dial makes a connection without a login.
func (r *rig) dial(t testing.TB, portal int) *initiator {
	t.Helper()
	conn, err := net.Dial("tcp", r.addrs[portal])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &initiator{t: t, conn: conn, par: &login.Params{MaxRecvDataSegmentLength: 8192}}
}

func (i *initiator) send(bhs *pdu.BHS, data []byte) {
	i.t.Helper()
	if err := i.trySend(bhs, data); err != nil {
		i.t.Fatalf("send: %v", err)
	}
}

func (i *initiator) trySend(bhs *pdu.BHS, data []byte) error {
	i.buf = pdu.AppendFrame(i.buf[:0], bhs, nil, data, i.par.HeaderDigest, i.par.DataDigest)
	_, err := i.conn.Write(i.buf)
	return err
}

// recv reads one PDU.
func (i *initiator) recv() (*pdu.BHS, []byte) {
	i.t.Helper()
	b, data, err := i.tryRecv()
	if err != nil {
		i.t.Fatalf("receive: %v", err)
	}
	return b, data
}

// tryRecv reads the header, which tells the rest.
func (i *initiator) tryRecv() (*pdu.BHS, []byte, error) {
	b := make([]byte, pdu.BHSLen, 1<<10)
	if _, err := io.ReadFull(i.conn, b); err != nil {
		return nil, nil, err
	}
	if n := pdu.DataLen((*pdu.BHS)(b)); n > i.par.MaxRecvDataSegmentLength {
		return nil, nil, fmt.Errorf("a segment of %d bytes", n)
	}
	b = append(b, make([]byte, i.restLen((*pdu.BHS)(b)))...)
	if _, err := io.ReadFull(i.conn, b[pdu.BHSLen:]); err != nil {
		return nil, nil, err
	}
	f, _, err := pdu.ParseFrame(b, i.par.HeaderDigest, i.par.DataDigest, i.par.MaxRecvDataSegmentLength)
	return f.BHS, f.Data, err
}

func (i *initiator) restLen(b *pdu.BHS) int {
	n := pdu.AHSLen(b)
	if i.par.HeaderDigest {
		n += pdu.DigestLen
	}
	if d := pdu.DataLen(b); d > 0 {
		n += pdu.Pad(d)
		if i.par.DataDigest {
			n += pdu.DigestLen
		}
	}
	return n
}

// A result is how a command ended.
type result struct {
	status   scsi.Status
	sense    scsi.Sense
	data     []byte
	over     uint32
	under    uint32
	r2ts     int
	dataPDUs int
	collapse bool
}

// command is a SCSI Command to be sent, with defaults that obey.
func (i *initiator) command(lun int, cdb scsi.CDB, read, write bool, edtl int) *pdu.SCSICommand {
	i.itt++
	c := &pdu.SCSICommand{
		Final: true, Read: read, Write: write, Attr: pdu.AttrSimple, LUN: pdu.LUN(scsi.EncodeLUN(lun)), ITT: i.itt,
		ExpectedDataTransferLength: uint32(edtl), CmdSN: i.cmdSN, ExpStatSN: i.stat, CDB: cdb,
	}
	i.cmdSN++
	return c
}

func (i *initiator) sendCommand(c *pdu.SCSICommand, data []byte) {
	i.t.Helper()
	var b pdu.BHS
	c.Encode(&b)
	i.send(&b, data)
}

func (i *initiator) read(lun int, cdb scsi.CDB, n int) result {
	i.t.Helper()
	c := i.command(lun, cdb, n > 0, false, n)
	i.sendCommand(c, nil)
	return i.finish(c, nil)
}

// write sends the data as the negotiation lets it: immediate, then unsolicited, then as asked for.
func (i *initiator) write(lun int, cdb scsi.CDB, data []byte) result {
	i.t.Helper()
	c := i.command(lun, cdb, false, len(data) > 0, len(data))
	i.sendWrite(c, data)
	return i.finish(c, data)
}

func (i *initiator) sendWrite(c *pdu.SCSICommand, data []byte) {
	i.t.Helper()
	first := min(i.par.FirstBurstLength, len(data))
	now := 0
	if i.par.ImmediateData {
		now = min(first, i.par.MaxXmitDataSegmentLength)
	}
	c.Final = i.par.InitialR2T || now == first
	i.sendCommand(c, data[:now])
	if !c.Final {
		i.dataOut(c, data, now, first, pdu.ReservedTag)
	}
}

// dataOut sends one sequence.
func (i *initiator) dataOut(c *pdu.SCSICommand, data []byte, from, to int, ttt uint32) {
	i.t.Helper()
	for sn := pdu.Serial(0); from < to; sn++ {
		n := min(to-from, i.par.MaxXmitDataSegmentLength)
		o := pdu.DataOut{Final: from+n == to, ITT: c.ITT, TTT: ttt, ExpStatSN: i.stat, DataSN: sn, BufferOffset: uint32(from)}
		if ttt != pdu.ReservedTag {
			o.LUN = c.LUN
		}
		var b pdu.BHS
		o.Encode(&b)
		i.send(&b, data[from:from+n])
		from += n
	}
}

// finish takes the answer of a command and holds it against the rules.
func (i *initiator) finish(c *pdu.SCSICommand, out []byte) (res result) {
	i.t.Helper()
	sn := pdu.Serial(0)
	for {
		b, data := i.recv()
		if pdu.ITTOf(b) != c.ITT {
			i.t.Fatalf("%v of task %#x in the answer to %#x", pdu.OpcodeOf(b), pdu.ITTOf(b), c.ITT)
		}
		switch op := pdu.OpcodeOf(b); op {
		case pdu.OpDataIn:
			var p pdu.DataIn
			i.must(p.Decode(b))
			if p.DataSN != sn || int(p.BufferOffset) != len(res.data) {
				i.t.Fatalf("Data-In %d at %d, want %d at %d", p.DataSN, p.BufferOffset, sn, len(res.data))
			}
			sn++
			res.data = append(res.data, data...)
			res.dataPDUs++
			if p.HasStatus {
				i.takeStat(p.StatSN)
				res.collapse, res.status = true, scsi.Status(p.Status)
				res.setResidual(p.Overflow, p.Underflow, p.ResidualCount)
				return res
			}
		case pdu.OpR2T:
			var p pdu.R2T
			i.must(p.Decode(b))
			if p.R2TSN != sn {
				i.t.Fatalf("R2T %d, want %d", p.R2TSN, sn)
			}
			sn++
			res.r2ts++
			i.dataOut(c, out, int(p.BufferOffset), int(p.BufferOffset+p.DesiredDataLength), p.TTT)
		case pdu.OpSCSIResponse:
			var p pdu.SCSIResponse
			i.must(p.Decode(b))
			if p.ExpDataSN != sn {
				i.t.Fatalf("ExpDataSN %d after %d PDUs", p.ExpDataSN, sn)
			}
			i.takeStat(p.StatSN)
			res.status = scsi.Status(p.Status)
			res.setResidual(p.Overflow, p.Underflow, p.ResidualCount)
			if len(data) > 0 {
				res.sense, _ = scsi.ParseResponseSense(data)
			}
			return res
		default:
			i.t.Fatalf("%v in the answer to a command", op)
		}
	}
}

func (r *result) setResidual(over, under bool, n uint32) {
	if over {
		r.over = n
	}
	if under {
		r.under = n
	}
}

// anyAnswer takes a SCSI Response, whose ever it is.
func (i *initiator) anyAnswer() (itt uint32, s scsi.Sense) {
	i.t.Helper()
	b, data := i.recv()
	var p pdu.SCSIResponse
	i.must(p.Decode(b))
	i.takeStat(p.StatSN)
	if len(data) > 0 {
		s, _ = scsi.ParseResponseSense(data)
	}
	return p.ITT, s
}

func (i *initiator) takeStat(s pdu.Serial) {
	i.t.Helper()
	if s != i.stat {
		i.t.Fatalf("StatSN %d, want %d", s, i.stat)
	}
	i.stat++
}

func (i *initiator) must(err error) {
	i.t.Helper()
	if err != nil {
		i.t.Fatal(err)
	}
}

// ok fails the test if the command did not end with GOOD.
func (i *initiator) ok(r result) result {
	i.t.Helper()
	if r.status != scsi.StatusGood {
		i.t.Fatalf("%v: %v", r.status, r.sense)
	}
	return r
}

// closed waits for the target to end the connection.
func (i *initiator) closed() {
	i.t.Helper()
	for {
		if _, _, err := i.tryRecv(); err != nil {
			if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
				i.t.Fatal("the target keeps the connection")
			}
			return
		}
	}
}

func (i *initiator) taskMgmt(fn pdu.TaskMgmtFunction, lun int, ref uint32) {
	i.t.Helper()
	i.itt++
	p := pdu.TaskMgmtRequest{
		Immediate: true, Function: fn, LUN: pdu.LUN(scsi.EncodeLUN(lun)), ITT: i.itt, ReferencedTaskTag: ref,
		CmdSN: i.cmdSN, ExpStatSN: i.stat,
	}
	var b pdu.BHS
	p.Encode(&b)
	i.send(&b, nil)
}

func (i *initiator) taskMgmtResult() pdu.TaskMgmtResult {
	i.t.Helper()
	b, _ := i.recv()
	var p pdu.TaskMgmtResponse
	i.must(p.Decode(b))
	i.takeStat(p.StatSN)
	return p.Response
}

func readCDB(lba uint64, blocks uint32) (c scsi.CDB) {
	scsi.PutRead(&c, lba, blocks, false)
	return c
}

func writeCDB(lba uint64, blocks uint32) (c scsi.CDB) {
	scsi.PutWrite(&c, lba, blocks, false)
	return c
}

func pattern(seed byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = seed + byte(i) + byte(i>>9)
	}
	return b
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
