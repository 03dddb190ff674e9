package blockdev

import "context"

// Device is a block device: the one interface between all layers. See the package comment for the contract.
type Device interface {
	// Info says what the device is. The value is an immutable snapshot; another one may follow it. Any goroutine may ask.
	Info() *Info

	// Submit starts a request, on the loop. The caller has pushed itself on r. The answer comes by r.Complete, later.
	Submit(r *Request)

	// Close refuses new requests (CodeShutdown, not sent), waits for those in flight, and gives back what the device holds.
	// When ctx ends first it gives up on them: each completes with an error, and Close returns one that says so. It is for the
	// control plane: never call it on the loop.
	Close(ctx context.Context) error
}

// Info describes a device.
type Info struct {
	Size      uint64 // bytes
	BlockSize uint32 // bytes of a logical block: 512 to 65536, a power of two

	ReadOnly   bool
	WriteCache bool // completed writes may be volatile until a FLUSH (WCE)
	FUA        bool // honours FlagFUA natively (DPOFUA)
	Trim       bool // TRIM does something
	ZeroUnmap  bool // WriteZeroes without FlagNoUnmap may deallocate
	FastZero   bool // WriteZeroes moves no payload
	Rotational bool
	Limits     Limits
	Identity   Identity
}

// Limits are the largest requests that a device takes, in bytes. Zero means no limit of its own.
type Limits struct {
	MaxTransfer     uint64 // READ and WRITE
	OptimalTransfer uint64 // READ and WRITE: larger ones gain nothing
	MaxTrim         uint64
	TrimGranularity uint64 // TRIM of less than this does nothing
	TrimAlignment   uint64 // first byte that is aligned to the granularity
	MaxWriteZeroes  uint64
}

// Identity is what makes two paths lead to one volume: the same ID, serial, size and block size.
type Identity struct {
	ID       string // VPD page 83, as "naa.6001405...": type, dot, hex or text; empty where the device has none
	Serial   string // VPD page 80
	Vendor   string
	Product  string
	Revision string
}

// Watcher hears of a device that comes and goes, such as a path, on the loop.
type Watcher interface {
	// PathUp tells that the device can be used: after every login, and again when something about it has changed.
	PathUp(info *Info)

	// CacheLost tells that the device was without power, or was reset within: writes that it had completed, and no FLUSH has covered, may be
	// gone. It comes before PathUp of the connection that told it.
	CacheLost(err error)

	// PathDown tells that it cannot be used now, before the requests in flight on it complete with their errors. It may come
	// again with a newer reason.
	PathDown(err error)
}
