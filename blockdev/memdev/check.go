package memdev

import "github.com/hawser-storage/hawser/blockdev"

// check refuses what the device cannot do. It has changed nothing then.
func (d *Device) check(r *blockdev.Request) error {
	switch {
	case d.closing:
		return &blockdev.Error{Outcome: blockdev.NotSent, Code: blockdev.CodeShutdown, Where: d.name}
	case r.Op >= blockdev.NumOps:
		return d.fail(blockdev.CodeUnsupported, "%s is no operation of this device", r.Op)
	case r.Op == blockdev.Flush:
		return nil
	case d.info.ReadOnly && r.Op.Modifies():
		return d.fail(blockdev.CodeReadOnly, "%s: the device is read-only", r)
	case r.Op == blockdev.Trim && !d.info.Trim:
		return d.fail(blockdev.CodeUnsupported, "%s: the device does not trim", r)
	}
	if err := d.checkExtent(r); err != nil {
		return err
	}
	if r.Op == blockdev.Write && blockdev.SegmentsLen(r.Data) != r.Length {
		return d.fail(blockdev.CodeInvalid, "%s with %d bytes of data", r, blockdev.SegmentsLen(r.Data))
	}
	return nil
}

func (d *Device) checkExtent(r *blockdev.Request) error {
	block := uint64(d.info.BlockSize)
	switch {
	case r.Offset%block != 0 || r.Length%block != 0:
		return d.fail(blockdev.CodeInvalid, "%s is not a multiple of the block size %d", r, block)
	case r.Offset > d.info.Size || r.Length > d.info.Size-r.Offset:
		return d.fail(blockdev.CodeOutOfRange, "%s is beyond the end at %d", r, d.info.Size)
	}
	if limit := d.limit(r.Op); limit > 0 && r.Length > limit {
		return d.fail(blockdev.CodeInvalid, "%s is larger than the limit of %d", r, limit)
	}
	return nil
}

// limit is the most bytes of one request, 0 for any number.
func (d *Device) limit(op blockdev.Op) uint64 {
	switch op {
	case blockdev.Read, blockdev.Write:
		return d.info.Limits.MaxTransfer
	case blockdev.Trim:
		return d.info.Limits.MaxTrim
	case blockdev.WriteZeroes:
		return d.info.Limits.MaxWriteZeroes
	}
	return 0
}
