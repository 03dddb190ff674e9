package pdu

import "fmt"

// LUN is the 8-byte Logical Unit Number field, big endian as on the wire: the first
// of the four levels of the SAM addressing is the top 16 bits.
type LUN uint64

// The addressing methods, the top two bits of a level.
const (
	lunPeripheral = 0
	lunFlat       = 1
)

// The numbers that one level can address.
const (
	maxPeripheralLUN = 0xff
	maxFlatLUN       = 0x3fff
)

// FlatLUN returns the field for logical unit n of a single-level hierarchy: peripheral
// device addressing below 256, flat space addressing below 16384. Other numbers are a
// *LUNError.
func FlatLUN(n int) (LUN, error) {
	switch {
	case n < 0 || n > maxFlatLUN:
		return 0, &LUNError{Number: n, Reason: "number not in 0 to 16383"}
	case n <= maxPeripheralLUN:
		return LUN(n) << 48, nil
	default:
		return LUN(lunFlat<<14|n) << 48, nil
	}
}

// Number returns the logical unit's number, the inverse of FlatLUN. A number below 256
// in flat space addressing is taken as well, since targets report either form. A field with
// several levels, a bus other than 0 or another addressing method is a *LUNError.
func (l LUN) Number() (int, error) {
	level := int(l >> 48)
	if l<<16 != 0 {
		return 0, &LUNError{LUN: l, Reason: "more than one level"}
	}
	switch level >> 14 {
	case lunPeripheral:
		if level > maxPeripheralLUN {
			return 0, &LUNError{LUN: l, Reason: "bus identifier is not 0"}
		}
		return level, nil
	case lunFlat:
		return level & maxFlatLUN, nil
	}
	return 0, &LUNError{LUN: l, Reason: "addressing method is neither peripheral nor flat"}
}

// String returns the number where there is one, else the field in hexadecimal.
func (l LUN) String() string {
	if n, err := l.Number(); err == nil {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("0x%016x", uint64(l))
}

// LUNError is a logical unit that the addressing methods known here cannot express.
type LUNError struct {
	LUN    LUN // the field, when it came off the wire
	Number int // the number, when a field was to be made of it
	Reason string
}

func (e *LUNError) Error() string {
	if e.LUN != 0 {
		return fmt.Sprintf("iscsi: LUN field 0x%016x: %s", uint64(e.LUN), e.Reason)
	}
	return fmt.Sprintf("iscsi: LUN %d: %s", e.Number, e.Reason)
}
