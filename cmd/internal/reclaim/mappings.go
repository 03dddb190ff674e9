package reclaim

import (
	"fmt"
	"os"
	"strings"
)

// mapping is a part of the address space.
type mapping struct{ start, end uintptr }

// programMappings are those of the executable: its code, constants and variables.
func programMappings() ([]mapping, error) {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return nil, err
	}
	return mappingsOf(string(maps), exe)
}

// mappingsOf are the mappings of a file, in lines as proc_pid_maps(5) has them:
//
//	00400000-00452000 r-xp 00000000 08:02 173521      /usr/bin/dbus-daemon
func mappingsOf(maps, path string) (all []mapping, err error) {
	for line := range strings.Lines(maps) {
		if !strings.HasSuffix(strings.TrimSuffix(line, "\n"), " "+path) {
			continue
		}
		var m mapping
		if _, err := fmt.Sscanf(line, "%x-%x ", &m.start, &m.end); err != nil {
			return nil, fmt.Errorf("/proc/self/maps: %q: %w", line, err)
		}
		all = append(all, m)
	}
	return all, nil
}
