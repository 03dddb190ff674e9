package kernel

import (
	"strconv"
	"strings"
)

// mount is a line of /proc/PID/mountinfo; see proc_pid_mountinfo(5).
type mount struct {
	number string // major:minor of the file system; not of a block device with btrfs, which makes its own
	point  string
	source string // mostly the node
}

// parseMount reads, of a line such as
//
//	36 35 98:0 /root /mnt/point rw,noatime master:1 - ext3 /dev/root rw,errors=continue
//
// what is of interest. Between the options and the dash there may be any number of fields.
func parseMount(line string) (m mount, ok bool) {
	before, after, _ := strings.Cut(line, " - ")
	f, g := fields(before), fields(after)
	if len(f) < 6 || len(g) < 2 {
		return m, false
	}
	return mount{number: f[2], point: unescape(f[4]), source: unescape(g[1])}, true
}

// fields cuts a line at the blanks that the kernel puts between fields. Those of Unicode may be part of a name.
func fields(line string) []string {
	return strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' || r == '\n' })
}

// unescape decodes the kernel's \ooo for blanks and backslashes in names. Anything else that begins with a backslash stays as it is.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 <= len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b = append(b, byte(c))
				i += 3
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

// mounts looks through every mount namespace, our own first. A mount that is in several of them is told once.
func (h *host) mounts(s stack) []Holder {
	type place struct{ device, point string }
	seen := map[place]bool{}
	var all []Holder
	for _, pid := range h.namespaces() {
		info, _ := h.text("proc", pid, "mountinfo")
		for line := range strings.Lines(info) {
			m, ok := parseMount(line)
			if !ok {
				continue
			}
			l, ok := s.mounted(m)
			if at := (place{l.name, m.point}); !ok || seen[at] {
				continue
			} else {
				seen[at] = true
			}
			holder := s.hold(Mount, l, m.point)
			holder.PID, _ = strconv.Atoi(pid)
			all = append(all, holder)
		}
	}
	return all
}

func (s stack) mounted(m mount) (layer, bool) {
	if l, ok := s.numbered(m.number); ok {
		return l, true
	}
	return s.at(m.source)
}

// namespaces are processes, one in each mount namespace, as /proc names them: "self" is the first.
func (h *host) namespaces() []string {
	some := []string{"self"}
	mine, _ := h.link("proc/self/ns/mnt")
	seen := map[string]bool{mine: true, "": true}
	for _, pid := range h.pids() {
		if ns, _ := h.link("proc", pid, "ns/mnt"); !seen[ns] {
			seen[ns] = true
			some = append(some, pid)
		}
	}
	return some
}
