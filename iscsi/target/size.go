package target

import (
	"fmt"
	"math"
	"strconv"
)

// ParseSize reads a number of bytes: digits, and K, M, G or T for the binary multiples.
func ParseSize(s string) (uint64, error) {
	digits, shift := s, 0
	if n := len(s); n > 0 {
		if shift = unitShift(s[n-1]); shift > 0 {
			digits = s[:n-1]
		}
	}
	v, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || v > math.MaxInt64>>shift {
		return 0, fmt.Errorf("%q is no size: want digits, then K, M, G or T if it is not in bytes", s)
	}
	return v << shift, nil
}

func unitShift(c byte) int {
	switch c {
	case 'K', 'k':
		return 10
	case 'M', 'm':
		return 20
	case 'G', 'g':
		return 30
	case 'T', 't':
		return 40
	}
	return 0
}
