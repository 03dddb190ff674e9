package vm

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// bootModules are what the root is made of, and what nothing would load later: what there is to know about
// is loaded when it is asked for.
var bootModules = []string{"9pnet_virtio", "9p", "overlay", "configfs", "virtio_blk"}

// A kernel is Debian's, unpacked.
type kernel struct {
	dir string
}

// kernel returns the newest kernel of the cache.
func (c cache) kernel() (kernel, error) {
	all, err := filepath.Glob(filepath.Join(c.dir, "kernel", "*", "complete"))
	if err != nil || len(all) == 0 {
		return kernel{}, fmt.Errorf("vm: no kernel in %s; `make setup-vm` fetches it", filepath.Join(c.dir, "kernel"))
	}
	return kernel{filepath.Dir(slices.Max(all))}, nil
}

func (k kernel) image() string   { return filepath.Join(k.dir, "vmlinuz") }
func (k kernel) modules() string { return filepath.Join(k.dir, "modules") }

// files returns the files of some modules and of those that they need, each after those that it needs.
func (k kernel) files(names []string) (files []string, err error) {
	text, err := os.ReadFile(filepath.Join(k.modules(), "modules.dep"))
	if err != nil {
		return nil, fmt.Errorf("vm: %w", err)
	}
	needs := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		file, list, _ := strings.Cut(line, ":")
		needs[strings.TrimSuffix(path.Base(file), ".ko")] = append([]string{file}, strings.Fields(list)...)
	}
	for _, name := range names {
		if needs[name] == nil {
			return nil, fmt.Errorf("vm: the kernel in %s has no module %s", k.dir, name)
		}
		// depmod writes what a module needs in the opposite order.
		for _, file := range slices.Backward(needs[name]) {
			if file = filepath.Join(k.modules(), file); !slices.Contains(files, file) {
				files = append(files, file)
			}
		}
	}
	return files, nil
}
