package kernel

import (
	"errors"
	"os"
	"strconv"
	"strings"
)

// What is not there, or goes away while it is looked at, reads as nothing: a device may end at any time.

// text is the content of a file below the root, without the newline at its end.
func (h *host) text(elem ...string) (s string, ok bool) {
	b, err := os.ReadFile(h.path(elem...))
	return strings.TrimSuffix(string(b), "\n"), err == nil
}

// number is a file's content as a decimal number, and 0 for what is none.
func (h *host) number(elem ...string) uint64 {
	s, _ := h.text(elem...)
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// write sets an attribute. It makes no file: one that is not there is not known to this kernel.
func (h *host) write(value string, elem ...string) error {
	f, err := os.OpenFile(h.path(elem...), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// names are those in a directory, in order.
func (h *host) names(elem ...string) []string {
	entries, _ := os.ReadDir(h.path(elem...))
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names
}
