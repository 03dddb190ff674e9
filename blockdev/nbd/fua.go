package nbd

import "github.com/hawser-storage/hawser/blockdev"

// FUA is always offered. A device that has none of its own for WRITE gets the write without it, and then a FLUSH before the reply:
// what the kernel would do, for one round trip of the client's less. So does every device for TRIM and WRITE_ZEROES, for which SCSI
// has none: behind them the device would have to flush within the request, and multipath, which may send a request twice, would
// repeat a flush that failed until it succeeds.

// needsFlush says whether the request is to be followed by a flush, and if so takes FUA off it.
func needsFlush(r *blockdev.Request, info *blockdev.Info) bool {
	if r.Flags&blockdev.FlagFUA == 0 || r.Op == blockdev.Write && info.FUA {
		return false
	}
	r.Flags &^= blockdev.FlagFUA
	return true
}

// persisted is a command that waits for its flush.
type persisted command

// persist flushes what the command wrote. The flush covers it: the device has completed the write.
func (cmd *command) persist() {
	r := &cmd.req
	r.Op, r.Flags, r.Offset, r.Length = blockdev.Flush, 0, 0, 0
	r.Push((*persisted)(cmd))
	cmd.conn.vol.dev.Submit(r)
}

// Completed implements blockdev.Completer.
func (p *persisted) Completed(_ *blockdev.Request, err error) { (*command)(p).finish(err) }
