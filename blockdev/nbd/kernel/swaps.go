package kernel

import "strings"

// swaps looks through /proc/swaps: a line of headings, then a line for each, whose first field is the node.
func (h *host) swaps(s stack) []Holder {
	var all []Holder
	text, _ := h.text("proc/swaps")
	for line := range strings.Lines(text) {
		node, _, _ := strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
		if l, ok := s.at(unescape(node)); ok {
			all = append(all, s.hold(Swap, l, ""))
		}
	}
	return all
}
