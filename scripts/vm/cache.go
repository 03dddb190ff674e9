package vm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A cache is a directory outside git: kernel/VERSION/{vmlinuz,modules/}, logs, and the lock.
type cache struct {
	dir string
}

// findCache returns the cache of the clone that the caller is in.
func findCache() (cache, error) {
	dir, err := os.Getwd()
	if err != nil {
		return cache{}, fmt.Errorf("vm: %w", err)
	}
	for {
		switch _, err := os.Stat(filepath.Join(dir, "go.mod")); {
		case err == nil:
			return cache{filepath.Join(dir, ".cache", "vm")}, nil
		case !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir):
			return cache{}, errors.New("vm: not in a clone: no go.mod here or above")
		}
		dir = filepath.Dir(dir)
	}
}
