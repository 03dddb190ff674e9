package kernel

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// AnyIndex lets the kernel choose: the first device that nobody uses, or a new one. Two who ask at once never get the same.
const AnyIndex = -1

const (
	defaultSendBuffer = 2 << 20
	maxBackend        = 1024 // sysfs shows a page at most
)

// Spec is what a device shall be.
type Spec struct {
	// Index is the N of /dev/nbdN, or AnyIndex.
	Index int

	// Size is in bytes, a multiple of BlockSize.
	Size uint64

	// BlockSize is that of a logical block, in bytes: a power of two, 512 or more. The driver takes no more than a page, before
	// Linux 6.15 at least.
	BlockSize uint32

	// Flags are the transmission flags of the export, as the server's handshake would say them: nbd.TransmissionFlags.
	Flags uint64

	// Backend says whose device this is, and sysfs shows it, in /sys/block/nbdN/backend. It must be unique on the host: a later
	// process finds the device by it, and no other one is able to reconnect the device by mistake. 1 to 1024 bytes of UTF-8, no
	// control characters, no space at either end.
	Backend string

	// DeadConnTimeout is how long new I/O waits for Reconnect once the connection is dead, in whole seconds, rounded up; then it
	// fails. 0: it fails at once. What was in flight waits without end; see the package comment.
	DeadConnTimeout time.Duration

	// MaxRequest is the largest request that the server takes, in bytes. 0: whatever the driver sends at most, which is 32 MiB.
	MaxRequest int

	// Rotational is for a volume on spinning disks; the block layer's schedulers and some file systems ask.
	Rotational bool

	// SendBuffer is for both ends of the socket, in bytes; the kernel may grant less. Default 2 MiB: only the sender's buffer
	// counts on a unix socket, and its default of 208 KiB is two large requests at best.
	SendBuffer int
}

func (s Spec) withDefaults() Spec {
	if s.SendBuffer == 0 {
		s.SendBuffer = defaultSendBuffer
	}
	return s
}

func (s Spec) validate() error {
	switch bs := uint64(s.BlockSize); {
	case s.Index < AnyIndex || s.Index > math.MaxInt32:
		return fmt.Errorf("there is no device number %d", s.Index)
	case bs < 512 || bs&(bs-1) != 0:
		return fmt.Errorf("block size %d is not a power of two from 512", bs)
	case s.Size == 0 || s.Size%bs != 0 || s.Size > math.MaxInt64:
		return fmt.Errorf("size %d is not a multiple of the block size %d from %[2]d to 2^63", s.Size, bs)
	case s.DeadConnTimeout < 0 || s.MaxRequest < 0 || s.SendBuffer < 0:
		return fmt.Errorf("DeadConnTimeout %v, MaxRequest %d or SendBuffer %d is negative", s.DeadConnTimeout, s.MaxRequest, s.SendBuffer)
	}
	return validateBackend(s.Backend)
}

// validateBackend refuses what sysfs could not show as it is, or an errand not be told.
func validateBackend(b string) error {
	isControl := func(r rune) bool { return r < ' ' || r == 0x7f }
	if b == "" || len(b) > maxBackend || strings.ContainsFunc(b, isControl) || strings.TrimSpace(b) != b || !utf8.ValidString(b) {
		return fmt.Errorf("backend %.64q is not 1 to %d bytes of UTF-8 without control characters and outer spaces", b, maxBackend)
	}
	return nil
}

// deadSeconds is DeadConnTimeout as the driver counts it.
func (s Spec) deadSeconds() uint64 {
	return uint64((s.DeadConnTimeout + time.Second - 1) / time.Second)
}
