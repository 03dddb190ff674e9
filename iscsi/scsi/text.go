package scsi

import (
	"bytes"
	"fmt"
	"strings"
)

// text decodes an ASCII field: padding is dropped, and what does not print is escaped, because the text of a target ends up on
// terminals and in logs. Different bytes, padding apart, give different texts.
func text(b []byte) string {
	b = bytes.Trim(b, " \x00")
	var s strings.Builder
	for _, c := range b {
		if c < ' ' || c > '~' || c == '\\' {
			fmt.Fprintf(&s, `\x%02x`, c)
		} else {
			s.WriteByte(c)
		}
	}
	return s.String()
}

// putText fills an ASCII field: left aligned, padded with spaces, cut if too long.
func putText(dst []byte, s string) {
	n := copy(dst, s)
	for i := n; i < len(dst); i++ {
		dst[i] = ' '
	}
}
