package kernel

import (
	"fmt"
	"strings"
)

// Kind is how a device is used.
type Kind uint8

// The kinds of use, in the order in which Holders lists them.
const (
	Mount       Kind = iota // a mounted file system
	Swap                    // swap space
	Process                 // a process that has the node open
	VolumeGroup             // LVM: a physical volume of a group with active logical volumes
	Array                   // a member of an md array
	Map                     // another map of the device mapper: dm-crypt, multipath, ...
	Stacked                 // another block device that lies on it
	Claim                   // the kernel says that it is taken for exclusive use, and not by whom
)

// Holder is one use of a device.
type Holder struct {
	Kind Kind

	// Device is what is held: the device, a partition, or what lies on it, by the name that people use: nbd0, nbd0p1, vg0-data.
	Device string

	// Name is the mount point, the program, the volume group, the array or the map.
	Name string

	// PID is the process; of a Mount, one that sees it, where we do not. 0 otherwise.
	PID int

	// Volumes are a volume group's active logical volumes that lie on the device, as the device mapper names them.
	Volumes []string

	// Elsewhere are the other devices of a volume group or array, such as /dev/sdb: what is lost with this device takes what is on
	// those along.
	Elsewhere []string

	whole bool // Device is the nbd device itself
}

// String is for people: "mounted at /mnt", "open by fio (process 123)".
func (h Holder) String() string {
	switch h.Kind {
	case Mount:
		return h.which() + "mounted at " + h.Name + h.where()
	case Swap:
		return h.which() + "used as swap"
	case Process:
		return h.which() + fmt.Sprintf("open by %s (process %d)", h.Name, h.PID)
	case VolumeGroup:
		return "volume group " + h.Name + " (" + strings.Join(notEmpty(h.volumes(), h.elsewhere()), "; ") + ")"
	case Array:
		return strings.Join(notEmpty("array "+h.Name, h.elsewhere()), ", ")
	case Map:
		return "mapped as " + h.Name
	case Stacked:
		return "below " + h.Name
	}
	return "taken for exclusive use by the kernel"
}

func (h Holder) which() string {
	if h.whole {
		return ""
	}
	return h.Device + " "
}

func (h Holder) where() string {
	if h.PID == 0 {
		return ""
	}
	return fmt.Sprintf(" in the mount namespace of process %d", h.PID)
}

func (h Holder) volumes() string {
	if len(h.Volumes) == 1 {
		return "logical volume " + h.Volumes[0]
	}
	return "logical volumes " + strings.Join(h.Volumes, ", ")
}

func (h Holder) elsewhere() string {
	if len(h.Elsewhere) == 0 {
		return ""
	}
	return "also on " + strings.Join(h.Elsewhere, ", ")
}

func notEmpty(all ...string) []string {
	var some []string
	for _, s := range all {
		if s != "" {
			some = append(some, s)
		}
	}
	return some
}

// list names holders in one line. Many are told by the first few: a line is to be read.
func list(holders []Holder) string {
	const most = 8
	var b strings.Builder
	for i, h := range holders {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(holders)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(h.String())
	}
	return b.String()
}
