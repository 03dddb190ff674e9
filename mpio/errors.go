package mpio

import (
	"fmt"
	"strings"
	"time"

	"github.com/hawser-storage/hawser/blockdev"
)

// PathError is what keeps a path from being used.
type PathError struct {
	Path  string
	State State
	Err   error // nil: nothing was heard of it yet
}

func (e PathError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s: %s: no answer yet", e.Path, e.State)
	}
	return fmt.Sprintf("%s: %s: %v", e.Path, e.State, e.Err)
}

func (e PathError) Unwrap() error { return e.Err }

// NoPathError says that a volume cannot be reached, and why by each path.
type NoPathError struct {
	Volume string
	Paths  []PathError
	Err    error // what ended the wait, such as context.DeadlineExceeded; may be nil
}

func (e *NoPathError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "volume %s: none of its paths is usable", e.Volume)
	for i, p := range e.Paths {
		sep := "; "
		if i == 0 {
			sep = ": "
		}
		b.WriteString(sep + p.Error())
	}
	if e.Err != nil {
		fmt.Fprintf(&b, " (%v)", e.Err)
	}
	return b.String()
}

// Unwrap gives what ended the wait and the reason of each path.
func (e *NoPathError) Unwrap() []error {
	var errs []error
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	for _, p := range e.Paths {
		errs = append(errs, p)
	}
	return errs
}

// IdentityError says that a path leads elsewhere than the volume's other paths. The path carries nothing until that changes.
type IdentityError struct {
	Volume string
	Path   string
	Field  string // what differs
	Want   blockdev.Info
	Got    blockdev.Info
}

func (e *IdentityError) Error() string {
	if e.Field == fieldNone {
		return fmt.Sprintf("path %s: the device has neither a designation (VPD page 83) nor a serial number, so nothing shows that it "+
			"is volume %s (%s): path refused, unless you give your word for it (Config.TrustIdentity, attach --trust-identity)", e.Path, e.Volume, describe(&e.Want))
	}
	return fmt.Sprintf("path %s leads to another device than volume %s: its %s differs: %s, but the volume is %s: path refused; "+
		"correct the LUN mapping or remove the path", e.Path, e.Volume, e.Field, describe(&e.Got), describe(&e.Want))
}

func describe(i *blockdev.Info) string {
	return fmt.Sprintf("[ID %q, serial %q, %s %s, %d bytes in blocks of %d]",
		i.Identity.ID, i.Identity.Serial, i.Identity.Vendor, i.Identity.Product, i.Size, i.BlockSize)
}

// Extent is a piece of the volume, in bytes.
type Extent struct{ Offset, Length uint64 }

// maxExtents bounds an ExtentList.
const maxExtents = 64

// ExtentList is extents, as many as one would read.
type ExtentList struct {
	Extents []Extent
	More    int // that did not fit into the list
}

func (l *ExtentList) add(offset, length uint64) {
	if len(l.Extents) == maxExtents {
		l.More++
		return
	}
	l.Extents = append(l.Extents, Extent{Offset: offset, Length: length})
}

func (l *ExtentList) text() string {
	var b strings.Builder
	for _, x := range l.Extents {
		fmt.Fprintf(&b, " %d+%d", x.Offset, x.Length)
	}
	if l.More > 0 {
		fmt.Fprintf(&b, " and %d more", l.More)
	}
	return b.String()
}

// UnknownExtentsError lists what was being written, trimmed or zeroed when the volume was given up: it may have happened or not,
// and may yet happen.
type UnknownExtentsError struct {
	Volume string
	ExtentList
}

func (e *UnknownExtentsError) Error() string {
	return fmt.Sprintf("volume %s: whether these extents were written is unknown (offset+length in bytes):%s", e.Volume, e.text())
}

// UnfencedError says that writes of a lost path, or of a former process, may still be carried out, over what was written since.
type UnfencedError struct {
	Volume string
	Whole  bool // anywhere on the volume: a former process left them
	ExtentList
	Within time.Duration // after that they are taken for dead; see Config.FenceTimeout
	Err    error         // what ended the wait; may be nil
}

func (e *UnfencedError) Error() string {
	where := "at (offset+length in bytes)" + e.text()
	if e.Whole {
		where = "anywhere"
	}
	s := fmt.Sprintf("volume %s: the storage may still carry out writes of a path that was lost, %s: let nobody write there for the next %v",
		e.Volume, where, e.Within.Round(time.Second))
	if e.Err != nil {
		s += fmt.Sprintf(" (%v)", e.Err)
	}
	return s
}

func (e *UnfencedError) Unwrap() error { return e.Err }
