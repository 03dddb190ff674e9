package kernel

import (
	"slices"
	"strings"
)

// LVM's maps have the UUID "LVM-", 32 characters of the volume group, 32 of the logical volume, and maybe a suffix; and the name of
// both, with a dash between them and their own dashes doubled.
const (
	lvmPrefix  = "LVM-"
	lvmUUIDLen = 32
)

// group is the UUID of the volume group to which a logical volume belongs, empty for what is none.
func (l layer) group() string {
	uuid, isLVM := strings.CutPrefix(l.dmUUID, lvmPrefix)
	if !isLVM || len(uuid) < lvmUUIDLen {
		return ""
	}
	return uuid[:lvmUUIDLen]
}

// groupName is the volume group's part of a logical volume's name.
func groupName(dmName string) string {
	for i := 0; i < len(dmName); i++ {
		if dmName[i] != '-' {
			continue
		}
		if i+1 < len(dmName) && dmName[i+1] == '-' {
			i++
			continue
		}
		dmName = dmName[:i]
	}
	return strings.ReplaceAll(dmName, "--", "-")
}

// groups tells of the volume groups with logical volumes on the device, one holder for each.
func (h *host) groups(s stack) []Holder {
	var all []Holder
	index := map[string]int{} // by UUID, in all
	for _, l := range s {
		uuid := l.group()
		if uuid == "" {
			continue
		}
		i, ok := index[uuid]
		if !ok {
			i = len(all)
			index[uuid] = i
			holder := s.hold(VolumeGroup, s[0], groupName(l.dmName))
			holder.Elsewhere = h.foreign(s, uuid)
			all = append(all, holder)
		}
		all[i].Volumes = append(all[i].Volumes, l.dmName)
	}
	return all
}

// foreign are the physical volumes of a group that are not in the stack: what any active logical volume of the group lies on.
func (h *host) foreign(s stack, uuid string) []string {
	var nodes []string
	for _, name := range h.names("sys/block") {
		l := h.layer(name, "sys/block/"+name)
		if l.group() != uuid {
			continue
		}
		for _, below := range h.names(l.dir, "slaves") {
			b := h.layer(below, "sys/block/"+below) // no more than a name for a partition
			if b.group() != uuid && !s.has(below) {
				nodes = append(nodes, b.node())
			}
		}
	}
	slices.Sort(nodes)
	return slices.Compact(nodes)
}
