package nbd

import (
	"github.com/hawser-storage/hawser/blockdev"
	"github.com/pojntfx/go-nbd/pkg/protocol"
)

// known has, by request type, the operation and the flags that may come with it. FUA may come with all (the protocol asks to
// accept it); where nothing is written it means nothing.
var known = [...]struct {
	ok    bool
	op    blockdev.Op
	flags uint16
}{
	cmdRead:        {true, blockdev.Read, cmdFlagFUA},
	cmdWrite:       {true, blockdev.Write, cmdFlagFUA},
	cmdFlush:       {true, blockdev.Flush, cmdFlagFUA},
	cmdTrim:        {true, blockdev.Trim, cmdFlagFUA},
	cmdWriteZeroes: {true, blockdev.WriteZeroes, cmdFlagFUA | cmdFlagNoHole | cmdFlagFastZero},
}

// check is everything that can be wrong with a request before any device sees it: 0 if nothing is, or the error to answer.
func check(h *protocol.TransmissionRequestHeader, info *blockdev.Info, maxRequest int) uint32 {
	if int(h.Type) >= len(known) || !known[h.Type].ok {
		return errnoInvalid
	}
	k := &known[h.Type]
	switch {
	case h.CommandFlags&^k.flags != 0:
		return errnoInvalid
	case h.CommandFlags&cmdFlagFastZero != 0 && !info.FastZero:
		return errnoInvalid // it was not offered
	case k.op == blockdev.Flush:
		return 0
	case k.op.Modifies() && info.ReadOnly:
		return errnoPerm
	case k.op == blockdev.Trim && !info.Trim:
		return errnoInvalid // nor was this
	case (k.op == blockdev.Read || k.op == blockdev.Write) && h.Length > uint32(maxRequest):
		return errnoInvalid
	case (h.Offset|uint64(h.Length))&uint64(info.BlockSize-1) != 0:
		return errnoInvalid
	case h.Offset > info.Size || uint64(h.Length) > info.Size-h.Offset:
		return rangeErrno(k.op)
	}
	return 0
}

// flagsOf translates the flags of a request that passed the check.
func flagsOf(op blockdev.Op, flags uint16) (f blockdev.Flags) {
	if !op.Modifies() {
		return 0
	}
	if flags&cmdFlagFUA != 0 {
		f |= blockdev.FlagFUA
	}
	if flags&cmdFlagNoHole != 0 {
		f |= blockdev.FlagNoUnmap
	}
	if flags&cmdFlagFastZero != 0 {
		f |= blockdev.FlagFastZero
	}
	return f
}
