package pdu

import "fmt"

// name returns the name of a code that is small and dense, or says the number.
func name[T ~uint8](v T, names []string, kind string) string {
	if int(v) < len(names) && names[v] != "" {
		return names[v]
	}
	return fmt.Sprintf("%s 0x%02x", kind, uint8(v))
}
