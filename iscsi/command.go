package iscsi

import (
	"errors"
	"math"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/hawser-storage/hawser/iscsi/scsi"
)

var (
	errNoTrim     = errors.New("the unit has no UNMAP")
	errNoFastZero = errors.New("the unit has no WRITE SAME: zeroing is no faster than writing")
	errEmpty      = errors.New("no bytes are asked for")
	errTooLong    = errors.New("longer than one command can be")
)

// build makes the command of a request.
func (u *LUN) build(t *task) error {
	r, info := t.req, u.Info()
	bs := uint64(info.BlockSize)
	switch {
	case r.Length == 0 && r.Op != blockdev.Flush: // to some commands no blocks means all
		return u.reject(blockdev.CodeInvalid, errEmpty)
	case r.Length/bs > math.MaxUint32, r.Length > math.MaxUint32 && (r.Op == blockdev.Read || r.Op == blockdev.Write):
		return u.reject(blockdev.CodeInvalid, errTooLong)
	}
	lba, blocks := r.Offset/bs, uint32(r.Length/bs)
	switch r.Op {
	case blockdev.Read:
		scsi.PutRead(&t.cdb, lba, blocks, false)
		t.dir, t.length = dataIn, uint32(r.Length)
	case blockdev.Write:
		scsi.PutWrite(&t.cdb, lba, blocks, r.Flags&blockdev.FlagFUA != 0 && info.FUA && info.WriteCache)
		t.dir, t.length, t.out.segs = dataOut, uint32(r.Length), r.Data
	case blockdev.Flush:
		t.step = stepSync
		scsi.PutSyncCache16(&t.cdb, 0, 0)
	case blockdev.Trim:
		return u.buildUnmap(t, lba, blocks)
	case blockdev.WriteZeroes:
		return u.buildZeroes(t, lba, blocks)
	}
	return nil
}

func (u *LUN) buildUnmap(t *task, lba uint64, blocks uint32) error {
	if !u.Info().Trim {
		return u.reject(blockdev.CodeUnsupported, errNoTrim)
	}
	t.out.param = scsi.AppendUnmapList(t.param[:0], scsi.Range{LBA: lba, Blocks: blocks})
	scsi.PutUnmap(&t.cdb, uint16(len(t.out.param)))
	t.dir, t.length = dataOut, uint32(len(t.out.param))
	return nil
}

// buildZeroes uses WRITE SAME(16) with one block of zeroes, which every unit that knows the command takes, whether or not it
// unmaps: so the extent reads as zeroes in any case.
func (u *LUN) buildZeroes(t *task, lba uint64, blocks uint32) error {
	info := u.Info()
	if u.noWriteSame {
		if t.req.Flags&blockdev.FlagFastZero != 0 {
			return u.reject(blockdev.CodeUnsupported, errNoFastZero)
		}
		t.step = stepZeroes
		u.putZeroes(t)
		return nil
	}
	unmap := info.ZeroUnmap && t.req.Flags&blockdev.FlagNoUnmap == 0
	scsi.PutWriteSame16(&t.cdb, lba, blocks, unmap, false)
	t.dir, t.length, t.out.zero = dataOut, info.BlockSize, true
	return nil
}

// zeroByWriting is what becomes of a WRITE_ZEROES whose WRITE SAME was refused.
func (u *LUN) zeroByWriting(t *task) bool {
	u.noWriteSame = true
	if t.req.Flags&blockdev.FlagFastZero != 0 {
		t.err = u.reject(blockdev.CodeUnsupported, errNoFastZero)
		return false
	}
	t.step = stepZeroes
	return u.zeroNext(t)
}

func (u *LUN) zeroNext(t *task) bool {
	u.putZeroes(t)
	return u.again(t)
}

// maxZeroWrite is the most zeroes written by one command, in bytes.
const maxZeroWrite = 1 << 20

func (u *LUN) putZeroes(t *task) {
	info := u.Info()
	most := uint64(maxZeroWrite)
	if m := info.Limits.MaxTransfer; m != 0 {
		most = min(most, m)
	}
	n := min(t.req.Length-t.done, most)
	bs := uint64(info.BlockSize)
	scsi.PutWrite(&t.cdb, (t.req.Offset+t.done)/bs, uint32(n/bs), false)
	t.dir, t.length, t.out = dataOut, uint32(n), payload{zero: true}
}

// needsSync says whether a request with FUA takes a SYNCHRONIZE CACHE behind its command.
func (u *LUN) needsSync(t *task) bool {
	info := u.Info()
	return info.WriteCache && !(t.req.Op == blockdev.Write && info.FUA)
}

func (u *LUN) syncAfter(t *task) bool {
	scsi.PutSyncCache16(&t.cdb, 0, 0)
	t.step, t.dir, t.length, t.out = stepSync, noData, 0, payload{}
	return u.again(t)
}

// again sends t's next command. It reports false, with t.err set, if the unit is down.
func (u *LUN) again(t *task) bool {
	t.err, t.got, t.dataSN, t.r2ts, t.aborting = nil, 0, 0, 0, false
	if !u.up {
		t.err = t.lostError(ErrNotReady)
		return false
	}
	u.s.conn.start(t)
	return true
}

func (u *LUN) reject(code blockdev.Code, cause error) error {
	return &blockdev.Error{Outcome: blockdev.Failed, Code: code, Where: u.name, Err: cause}
}
