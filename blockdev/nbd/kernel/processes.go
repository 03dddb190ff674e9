package kernel

import (
	"os"
	"slices"
	"strconv"
	"strings"
)

// processes looks at the open files of all processes but ours. They are compared by the name under which they were opened; to ask
// for more than the name could hang, where that file is on a dead server.
func (h *host) processes(s stack) []Holder {
	var all []Holder
	for _, pid := range h.pids() {
		if pid == strconv.Itoa(h.self) {
			continue
		}
		for _, l := range h.opened(s, pid) {
			name, _ := h.text("proc", pid, "comm")
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
