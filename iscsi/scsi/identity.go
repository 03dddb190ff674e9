package scsi

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
)

// Ranks of a designator as the identity of a logical unit, the best first. Those that are unique in the world come before those
// that a vendor or an administrator chose.
const (
	rankNAA6 = iota
	rankNAA5
	rankNAA2
	rankNAA3
	rankEUI64
	rankUUID
	rankT10
	rankName
	rankNone
)

// LUNIdentity chooses the designator by which two paths are known to lead to the same logical unit: among those of the logical
// unit itself NAA (form 6, then 5, 2, 3), EUI-64, UUID, T10 vendor identification, SCSI name string. Of several with the same
// rank it is the smallest, so that the order in the page does not matter. Malformed and all-zero ones are never chosen. NAA form 3
// and T10 are unique only as far as the vendor made them so.
func LUNIdentity(ds []Designator) (Designator, bool) {
	var best Designator
	bestRank := rankNone
	for _, d := range ds {
		r := d.rank()
		if r < bestRank || r == bestRank && r != rankNone && bytes.Compare(d.ID, best.ID) < 0 {
			best, bestRank = d, r
		}
	}
	return best, bestRank != rankNone
}

func (d *Designator) rank() int {
	if d.Association != AssociationLUN || len(bytes.Trim(d.ID, "\x00")) == 0 {
		return rankNone
	}
	binary := d.CodeSet == CodeSetBinary
	switch d.Type {
	case DesignatorNAA:
		if binary {
			return rankNAA(d.ID)
		}
	case DesignatorEUI64:
		if n := len(d.ID); binary && (n == 8 || n == 12 || n == 16) {
			return rankEUI64
		}
	case DesignatorUUID:
		if binary && len(d.ID) == 18 && d.ID[0] == 0x10 {
			return rankUUID
		}
	case DesignatorT10:
		if len(d.ID) > 8 && len(bytes.Trim(d.ID[8:], " \x00")) > 0 {
			return rankT10
		}
	case DesignatorName:
		if d.CodeSet == CodeSetUTF8 && len(d.ID) > len("iqn.") {
			return rankName
		}
	}
	return rankNone
}

func rankNAA(id []byte) int {
	if len(bytes.Trim(id[1:], "\x00")) == 0 {
		return rankNone
	}
	switch form := id[0] >> 4; {
	case form == 6 && len(id) == 16:
		return rankNAA6
	case form == 5 && len(id) == 8:
		return rankNAA5
	case form == 2 && len(id) == 8:
		return rankNAA2
	case form == 3 && len(id) == 8:
		return rankNAA3
	}
	return rankNone
}

// String writes the designator as sysfs writes a wwid: "naa.6001405...", "eui.0025...", "uuid.…", "t10.VENDOR  ...", or the name
// string itself. Bytes that do not print are escaped.
func (d Designator) String() string {
	switch d.Type {
	case DesignatorNAA:
		return "naa." + hex.EncodeToString(d.ID)
	case DesignatorEUI64:
		return "eui." + hex.EncodeToString(d.ID)
	case DesignatorUUID:
		return "uuid." + hex.EncodeToString(d.ID[min(2, len(d.ID)):])
	case DesignatorT10:
		return "t10." + d.chars()
	case DesignatorName:
		return d.chars()
	}
	return fmt.Sprintf("type%x.%s", uint8(d.Type), hex.EncodeToString(d.ID))
}

func (d *Designator) chars() string {
	if d.CodeSet == CodeSetBinary {
		return hex.EncodeToString(d.ID)
	}
	return strings.TrimSpace(text(d.ID))
}
