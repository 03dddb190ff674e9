package nbd

import (
	"math/bits"

	"github.com/hawser-storage/hawser/blockdev"
	"github.com/pojntfx/go-nbd/pkg/protocol"
)

// Export is a device under a name. The device stays its owner's, who closes it after the server.
type Export struct {
	Name        string // at most 4096 bytes; may be empty
	Description string // for people, at most 4096 bytes; may be empty
	Device      blockdev.Device
}

// transmissionFlags says what the device can do. FLUSH and FUA are always offered: a device without FUA of its own gets a write
// and then a flush (fua.go). One device serves all connections, and its FLUSH covers what was written on any: so many may connect.
func transmissionFlags(i *blockdev.Info) uint16 {
	f := protocol.NEGOTIATION_REPLY_FLAGS_HAS_FLAGS | protocol.NEGOTIATION_REPLY_FLAGS_CAN_MULTI_CONN
	f |= flagSendFlush | flagSendFUA | flagWriteZeroes
	for _, o := range [...]struct {
		on   bool
		flag uint16
	}{
		{i.ReadOnly, flagReadOnly},
		{i.Rotational, flagRotational},
		{i.Trim, flagSendTrim},
		{i.FastZero, flagFastZero},
	} {
		if o.on {
			f |= o.flag
		}
	}
	return f
}

// blockSizes are the smallest request, the one that works best, and the largest, in bytes.
func blockSizes(i *blockdev.Info, maxRequest int) protocol.NegotiationReplyBlockSize {
	best := max(4096, i.BlockSize)
	if o := i.Limits.OptimalTransfer; o > uint64(best) && o <= uint64(maxRequest) {
		best = 1 << (bits.Len64(o) - 1) // the protocol wants a power of two
	}
	return protocol.NegotiationReplyBlockSize{
		Type:               protocol.NEGOTIATION_TYPE_INFO_BLOCKSIZE,
		MinimumBlockSize:   i.BlockSize,
		PreferredBlockSize: best,
		MaximumBlockSize:   uint32(maxRequest),
	}
}
