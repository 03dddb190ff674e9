package kernel

import "strings"

// stacked tells of the block devices that lie on the device, but for the logical volumes, of which groups tells.
func (h *host) stacked(s stack) []Holder {
	var all []Holder
	for _, l := range s[1:] {
		switch {
		case l.partition || l.group() != "":
		case l.dmName != "":
			all = append(all, s.hold(Map, l, l.dmName))
		case strings.HasPrefix(l.name, "md"):
			array := s.hold(Array, l, l.name)
			array.Elsewhere = h.others(s, l)
			all = append(all, array)
		default:
			all = append(all, s.hold(Stacked, l, l.name))
		}
	}
	return all
}

// others are the nodes of what a layer lies on that is not in the stack.
func (h *host) others(s stack, l layer) []string {
	var nodes []string
	for _, name := range h.names(l.dir, "slaves") {
		if !s.has(name) {
			nodes = append(nodes, layer{name: name}.node())
		}
	}
	return nodes
}
