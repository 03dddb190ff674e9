package kernel

import (
	"os"
	"slices"
	"strconv"
	"strings"
)

// processes looks at the open files of all processes but this one and its errands. They are compared by the name under which they were
// opened; to ask for more than the name could hang, where that file is on a dead server.
func (h *host) processes(s stack) []Holder {
	return h.openers(s, func(pid, name string) bool { return pid != strconv.Itoa(h.self) && !h.isErrand(pid, name) })
}

// errands are those of this process that have the device open.
func (h *host) errands(s stack) []Holder { return h.openers(s, h.isErrand) }

// isErrand says that a process does an errand for this one. What a dead one has left is anybody's.
func (h *host) isErrand(pid, name string) bool {
	return strings.HasPrefix(name, errandPrefix) && h.status(pid, "PPid:") == h.self
}

func (h *host) openers(s stack, which func(pid, name string) bool) []Holder {
	var all []Holder
	for _, pid := range h.pids() {
		layers := h.opened(s, pid)
		if len(layers) == 0 {
			continue
		}
		name, _ := h.text("proc", pid, "comm")
		if !which(pid, name) {
			continue
		}
		for _, l := range layers {
			holder := s.hold(Process, l, name)
			holder.PID, _ = strconv.Atoi(pid)
			all = append(all, holder)
		}
	}
	return all
}

// opened are the layers that a process has open, each one once.
func (h *host) opened(s stack, pid string) []layer {
	var all []layer
	for _, fd := range h.names("proc", pid, "fd") {
		file, _ := h.link("proc", pid, "fd", fd)
		if l, ok := s.at(strings.TrimSuffix(file, " (deleted)")); ok && !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	return all
}

// pids are the processes, as /proc names them, in the order of their numbers.
func (h *host) pids() []string {
	var pids []int
	for _, name := range h.names("proc") {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	names := make([]string, len(pids))
	for i, pid := range pids {
		names[i] = strconv.Itoa(pid)
	}
	return names
}

func (h *host) link(elem ...string) (string, error) { return os.Readlink(h.path(elem...)) }
