package pdu

import (
	"fmt"
	"strings"
	"testing"
)

// Every code has a name of its own, and every other value says its number.
func TestNames(t *testing.T) {
	for _, tt := range []struct {
		kind  string
		named int
		of    func(uint8) fmt.Stringer
	}{
		{"opcode ", 18, func(v uint8) fmt.Stringer { return Opcode(v) }},
		{"task attribute ", 5, func(v uint8) fmt.Stringer { return TaskAttr(v) }},
		{"response ", 2, func(v uint8) fmt.Stringer { return Response(v) }},
		{"task management function ", 8, func(v uint8) fmt.Stringer { return TaskMgmtFunction(v) }},
		{"task management response ", 8, func(v uint8) fmt.Stringer { return TaskMgmtResult(v) }},
		{"stage ", 3, func(v uint8) fmt.Stringer { return Stage(v) }},
		{"status class ", 4, func(v uint8) fmt.Stringer { return StatusClass(v) }},
		{"logout reason ", 3, func(v uint8) fmt.Stringer { return LogoutReason(v) }},
		{"logout response ", 4, func(v uint8) fmt.Stringer { return LogoutResult(v) }},
		{"SNACK type ", 4, func(v uint8) fmt.Stringer { return SNACKType(v) }},
		{"async event ", 7, func(v uint8) fmt.Stringer { return AsyncEvent(v) }},
		{"reject reason ", 11, func(v uint8) fmt.Stringer { return RejectReason(v) }},
	} {
		seen := map[string]bool{}
		for v := range 256 {
			text := tt.of(uint8(v)).String()
			if text != fmt.Sprintf("%s0x%02x", tt.kind, v) {
				if strings.HasPrefix(text, tt.kind+"0x") || seen[text] {
					t.Errorf("%s%d: name %q is wrong or there twice", tt.kind, v, text)
				}
				seen[text] = true
			}
		}
		if got := len(seen); got != tt.named {
			t.Errorf("%sof 256 values: %d have names, want %d", tt.kind, got, tt.named)
		}
	}
}
