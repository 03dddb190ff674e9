package login

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// canonical checks a value against the key's syntax and range and returns the
// one spelling that the result functions compare: numbers are decimal.
func (k *key) canonical(v string) (string, error) {
	switch k.kind {
	case boolean:
		return k.canonicalBool(v)
	case number:
		return k.canonicalNumber(v)
	case list:
		return k.canonicalList(v)
	default:
		if len(v) > maxValue {
			return "", fmt.Errorf("%d bytes, at most %d are allowed", len(v), maxValue)
		}
		return v, nil
	}
}

// maxValue bounds a value that is no list and no binary. RFC 7143, section 6.1.
const maxValue = 255

func (k *key) canonicalBool(v string) (string, error) {
	if v != valueYes && v != valueNo {
		return "", errors.New("want Yes or No")
	}
	return v, nil
}

func (k *key) canonicalNumber(v string) (string, error) {
	n, err := parseNumber(v)
	if err != nil || n < k.min || n > k.max {
		return "", fmt.Errorf("want a number from %d to %d", k.min, k.max)
	}
	return strconv.FormatUint(uint64(n), 10), nil
}

func (k *key) canonicalList(v string) (string, error) {
	for e := range strings.SplitSeq(v, ",") {
		if e == "" {
			return "", errors.New("want values separated by commas")
		}
	}
	return v, nil
}

// parseNumber reads a decimal or 0x hexadecimal constant. RFC 7143, section 6.1.
func parseNumber(v string) (uint32, error) {
	base := 10
	if hex, ok := strings.CutPrefix(strings.ToLower(v), "0x"); ok {
		v, base = hex, 16
	}
	n, err := strconv.ParseUint(v, base, 32)
	return uint32(n), err
}

// toNumber reads a canonical number.
func toNumber(v string) uint32 {
	n, _ := strconv.ParseUint(v, 10, 32)
	return uint32(n)
}

func toBool(v string) bool { return v == valueYes }

func toSeconds(v string) time.Duration { return time.Duration(toNumber(v)) * time.Second }

func fromBool(b bool) string {
	if b {
		return valueYes
	}
	return valueNo
}

func fromSeconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
