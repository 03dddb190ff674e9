package target

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// A lun is a logical unit, one for all portals. It belongs to the loop, its medium to the workers if it is not a memory.
type lun struct {
	LUN    // as it was asked for, but for what faults changed; the size is in blocks
	number int
	medium medium
	mem    memory        // the medium, if it is one
	shift  uint          // of the block size
	blocks atomic.Uint64 // changed under exclusive
	cache  *volatile     // nil if the unit is not volatile

	naa    [16]byte
	serial string

	// exclusive is held by what is one step for all, as COMPARE AND WRITE; every other command shares it while it works on the medium.
	exclusive sync.RWMutex

	// told has the initiator ports that know of the last loss of power; nil if there was none.
	told map[sessionKey]struct{}

	stopped  bool // START STOP UNIT stopped it
	counters LUNCounters
}

func newLUN(iqn string, number int, spec LUN) (*lun, error) {
	if spec.BlockSize == 0 {
		spec.BlockSize = 512
	}
	if err := spec.validate(); err != nil {
		return nil, fmt.Errorf("target: LUN %d: %w", number, err)
	}
	l := &lun{LUN: spec, number: number, shift: uint(bits.TrailingZeros32(spec.BlockSize))}
	if err := l.open(); err != nil {
		return nil, fmt.Errorf("target: LUN %d: %w", number, err)
	}
	l.blocks.Store(l.Size >> l.shift)
	if l.Volatile {
		l.cacheWrites()
	}
	l.identify(iqn)
	return l, nil
}

func (l *lun) open() error {
	switch l.Kind {
	case KindNull:
		l.mem = &null{size: int64(l.Size)}
	case KindRAM:
		m, err := newRAM(l.Size, l.BlockSize, l.Thin)
		if err != nil {
			return err
		}
		l.mem = m
	default:
		f, err := openFile(&l.LUN)
		if err != nil {
			return err
		}
		l.medium, l.Size = f, uint64(f.size)
		return nil
	}
	l.medium = l.mem
	return nil
}

// size is in bytes.
func (l *lun) size() int64 { return int64(l.blocks.Load() << l.shift) }

func (l *lun) close() error {
	l.exclusive.Lock()
	defer l.exclusive.Unlock()
	return l.medium.Close()
}

// lends says that payload is sent from the medium itself, and received into it piece by piece. That is right only where nothing
// changes: otherwise a READ that meets a WRITE could show half a block of each, which no disk does, and its digest would be wrong.
func (l *lun) lends() bool { return l.Kind == KindNull }

// identify derives what the unit is known by from the target's name and the number: the same over restarts and portals.
func (l *lun) identify(iqn string) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s lun %d", iqn, l.number))
	copy(l.naa[:], sum[:])
	l.naa[0] = 6<<4 | l.naa[0]&0x0f
	if l.NAA != "" {
		_, _ = hex.Decode(l.naa[:], []byte(l.NAA)) // validated
	}
	l.serial = l.Serial
	if l.serial == "" {
		l.serial = hex.EncodeToString(sum[16:26])
	}
}

// unitAt finds the logical unit that a PDU addresses.
func (t *Target) unitAt(field uint64) *lun {
	n, ok := scsi.LUNNumber(field)
	if !ok || n >= len(t.luns) {
		return nil
	}
	return t.luns[n]
}
