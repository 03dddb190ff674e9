package target

import (
	"fmt"
	"math"

	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// Resize changes the size of a LUN, in bytes, and leaves CAPACITY DATA HAS CHANGED (2A/09) for every session. What is within both sizes
// stays; what is added reads as zeroes. A command that is beyond the new end when it is carried out is refused, and one that is at the
// medium is waited for. Of a volatile LUN everything is promised. A block device cannot be resized.
func (f *Faults) Resize(number int, size uint64) error {
	var l *lun
	f.onUnit(number, func(u *lun) { l = u })
	if l == nil {
		return fmt.Errorf("target: resize: there is no LUN %d", number)
	}
	if err := l.resize(size); err != nil {
		return fmt.Errorf("target: resize LUN %d to %d bytes: %w", number, size, err)
	}
	f.UnitAttention(number, scsi.CodeCapacityChanged)
	return nil
}

// resize is for the control plane: it waits for the workers.
func (l *lun) resize(size uint64) error {
	if size == 0 || size%uint64(l.BlockSize) != 0 || size > math.MaxInt64 {
		return fmt.Errorf("want a multiple of the block, %d, and no more than %d", l.BlockSize, uint64(math.MaxInt64))
	}
	l.exclusive.Lock()
	defer l.exclusive.Unlock()
	if err := l.medium.Resize(int64(size)); err != nil {
		return err
	}
	l.blocks.Store(size >> l.shift)
	return nil
}
