package mpio

import (
	"errors"
	"fmt"

	"github.com/hawser-storage/hawser/blockdev"
)

// What may differ between a path and the volume.
const (
	fieldNone      = "" // nothing to compare
	fieldID        = "designation (VPD page 83)"
	fieldSerial    = "serial number"
	fieldProduct   = "vendor or product"
	fieldSize      = "size"
	fieldBlockSize = "block size"
)

// identify checks that info, found at the end of m's path, is the volume's. The first path that comes up defines the volume, for
// as long as the Device lives.
func (d *Device) identify(m *member, info *blockdev.Info) error {
	if err := plausible(info); err != nil {
		return err
	}
	if d.volume == nil {
		d.volume, d.definedBy = info, m
		m.log.Info("volume found", "device", describe(info))
		return nil
	}
	trust := d.cfg.TrustIdentity || m == d.definedBy
	if field, same := sameVolume(d.volume, info, trust); !same {
		return &IdentityError{Volume: d.cfg.Name, Path: m.name, Field: field, Want: *d.volume, Got: *info}
	}
	return nil
}

func plausible(info *blockdev.Info) error {
	switch {
	case info == nil:
		return errors.New("the path does not say what device it leads to")
	case info.BlockSize < 512 || info.BlockSize > 65536 || info.BlockSize&(info.BlockSize-1) != 0:
		return fmt.Errorf("the device has blocks of %d bytes: not a power of two from 512 to 65536", info.BlockSize)
	case info.Size == 0 || info.Size%uint64(info.BlockSize) != 0:
		return fmt.Errorf("the device has %d bytes: not a number of blocks of %d", info.Size, info.BlockSize)
	}
	return nil
}

// sameVolume says whether two descriptions are of one device, and if not what differs.
//
// A device that was enlarged is still the same one, if it has a name of its own: the volume keeps its size until every path agrees.
// A smaller one is refused, because requests that the volume must serve would fail there.
func sameVolume(want, got *blockdev.Info, trust bool) (field string, same bool) {
	w, g := &want.Identity, &got.Identity
	named := w.ID != "" || w.Serial != ""
	switch {
	case w.ID != g.ID:
		return fieldID, false
	case w.Serial != g.Serial:
		return fieldSerial, false
	case want.BlockSize != got.BlockSize:
		return fieldBlockSize, false
	case got.Size < want.Size, got.Size != want.Size && !named:
		return fieldSize, false
	case w.ID == "" && (w.Vendor != g.Vendor || w.Product != g.Product):
		return fieldProduct, false
	case !named && !trust:
		return fieldNone, false
	}
	return "", true
}
