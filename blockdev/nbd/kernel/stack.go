package kernel

import "strings"

// A stack is a device with its partitions and all block devices that lie on any of them, each one once, lowest first.
type stack []layer

// layer is a block device, as sysfs knows it.
type layer struct {
	name      string // nbd0, nbd0p1, dm-3, md127
	dir       string // its directory below the root
	number    string // major:minor
	dmName    string // of the device mapper's: vg0-data
	dmUUID    string // of the device mapper's: LVM-..., CRYPT-...
	partition bool
}

func (h *host) stackOf(index int) stack {
	name := nameOf(index)
	return h.climb(nil, h.layer(name, "sys/block/"+name))
}

// climb adds a layer and what lies on it.
func (h *host) climb(s stack, l layer) stack {
	if s.has(l.name) {
		return s
	}
	s = append(s, l)
	for _, name := range h.names(l.dir) {
		if _, ok := h.text(l.dir, name, "partition"); ok {
			p := h.layer(name, l.dir+"/"+name)
			p.partition = true
			s = h.climb(s, p)
		}
	}
	for _, name := range h.names(l.dir, "holders") {
		s = h.climb(s, h.layer(name, "sys/block/"+name))
	}
	for _, name := range h.loopsOn(l) {
		s = h.climb(s, h.layer(name, "sys/block/"+name))
	}
	return s
}

// loopsOn are the loop devices on a node. They hold it like a file, so it does not name them among its holders.
func (h *host) loopsOn(l layer) []string {
	var loops []string
	for _, name := range h.names("sys/block") {
		if file, ok := h.text("sys/block", name, "loop/backing_file"); ok && file == l.node() {
			loops = append(loops, name)
		}
	}
	return loops
}

func (h *host) layer(name, dir string) layer {
	l := layer{name: name, dir: dir}
	l.number, _ = h.text(dir, "dev")
	l.dmName, _ = h.text(dir, "dm/name")
	l.dmUUID, _ = h.text(dir, "dm/uuid")
	return l
}

func (s stack) has(name string) bool {
	for _, l := range s {
		if l.name == name {
			return true
		}
	}
	return false
}

// find is the layer for which yes says so.
func (s stack) find(yes func(layer) bool) (layer, bool) {
	for _, l := range s {
		if yes(l) {
			return l, true
		}
	}
	return layer{}, false
}

// at is the layer whose node that is.
func (s stack) at(node string) (layer, bool) {
	return s.find(func(l layer) bool { return node == l.node() || l.dmName != "" && node == "/dev/mapper/"+l.dmName })
}

// numbered is the layer with that major:minor.
func (s stack) numbered(number string) (layer, bool) {
	return s.find(func(l layer) bool { return l.number == number })
}

// node is the kernel's own node, whose name has "!" in sysfs where it has "/".
func (l layer) node() string { return "/dev/" + strings.ReplaceAll(l.name, "!", "/") }

// called is what people call it.
func (l layer) called() string {
	if l.dmName != "" {
		return l.dmName
	}
	return l.name
}

// hold says that a layer is held.
func (s stack) hold(kind Kind, l layer, name string) Holder {
	return Holder{Kind: kind, Device: l.called(), Name: name, whole: l.name == s[0].name}
}
