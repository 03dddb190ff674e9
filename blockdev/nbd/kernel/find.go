package kernel

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Connected describes a device that has been connected and has not ended: by this process or another, living or not.
type Connected struct {
	Index    int
	Size     uint64 // bytes
	ReadOnly bool
	Backend  string // empty for a device of a program that names none, such as qemu-nbd
	PID      int    // of the process that connected it, if it names no backend; 0 when that is gone
}

// List tells of all nbd devices of the host that are connected, in the order of their numbers.
func List() []Connected { return linux.list() }

func (h *host) list() []Connected {
	var all []Connected
	for _, name := range h.names("sys/block") {
		number, isNBD := strings.CutPrefix(name, "nbd")
		index, err := strconv.Atoi(number)
		if !isNBD || err != nil || index < 0 {
			continue
		}
		if c, ok := h.connected(index); ok {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b Connected) int { return cmp.Compare(a.Index, b.Index) })
	return all
}

// connected looks a device up. It is connected as long as sysfs has a pid for it, which goes with the last who has it open.
func (h *host) connected(index int) (c Connected, ok bool) {
	dir := "sys/block/" + nameOf(index)
	thread, ok := h.text(dir, "pid")
	if !ok {
		return c, false
	}
	c = Connected{Index: index, Size: h.size(index)}
	c.ReadOnly = h.number(dir, "ro") == 1
	if c.Backend, ok = h.text(dir, "backend"); ok {
		return c, true // the thread was an errand's, and may be anybody's by now
	}
	c.PID = h.process(thread)
	_, ok = h.text(dir, "pid") // which goes before the backend does, when a device ends
	return c, ok
}

// process is whose thread that is, as it is a thread whose number the driver keeps. 0 if there is no such thread.
func (h *host) process(thread string) int { return h.status(thread, "Tgid:") }

// status is a number that the kernel tells of a process or thread.
func (h *host) status(pid, key string) int {
	status, _ := h.text("proc", pid, "status")
	for line := range strings.Lines(status) {
		if number, ok := strings.CutPrefix(line, key); ok {
			n, _ := strconv.Atoi(strings.TrimSpace(number))
			return n
		}
	}
	return 0
}

// size is in bytes; sysfs counts in units of 512, whatever the block size.
func (h *host) size(index int) uint64 {
	return h.number("sys/block", nameOf(index), "size") * 512
}

// Find looks for the device that an earlier process connected under spec.Backend, to be given to Reconnect. Its size and flags are
// what they were; the rest of spec holds from the next Reconnect and Tune.
func Find(spec Spec) (d *Device, found bool, err error) {
	d, found, err = linux.find(spec)
	return d, found, newError("find", "", err)
}

func (h *host) find(spec Spec) (d *Device, found bool, err error) {
	for _, c := range h.list() {
		switch {
		case c.Backend != spec.Backend:
		case found:
			return nil, false, fmt.Errorf("%s and %s are both connected for %s: disconnect one of them", d.Path(), nodeOf(c.Index), c.Backend)
		default:
			d, found = &Device{host: h, index: c.Index, spec: spec.withDefaults()}, true
		}
	}
	return d, found, nil
}
