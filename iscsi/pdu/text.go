package pdu

import (
	"bytes"
	"fmt"
	"iter"
)

// The longest key and value that are taken, in bytes. The key's is the RFC's (RFC 7143 6.1); the
// value's is far above what any key needs, so that no peer makes us hold megabytes.
const (
	MaxKeyLen   = 63
	MaxValueLen = 8192
)

// AppendText appends one pair of a text segment, key=value and a NUL. key and value must
// not contain NULs, nor key a '='.
func AppendText(dst []byte, key, value string) []byte {
	dst = append(dst, key...)
	dst = append(dst, '=')
	dst = append(dst, value...)
	return append(dst, 0)
}

// TextError is a text segment that does not consist of key=value pairs.
type TextError struct {
	Offset int // of the pair, in bytes from the start of the text
	Reason string
}

func (e *TextError) Error() string {
	return fmt.Sprintf("iscsi: text segment: pair at byte %d: %s", e.Offset, e.Reason)
}

// TextScanner walks through the pairs of a text segment. It copies nothing: keys and values are
// views into the data, and what is to outlive the data must be copied.
// A text that was continued over several PDUs (the C bit) must be joined first: pairs span them.
//
//	s := pdu.NewTextScanner(data)
//	for key, value := range s.Pairs() {
//		...
//	}
//	if err := s.Err(); err != nil {
//		...
//	}
type TextScanner struct {
	data []byte
	pos  int
	err  error
}

// NewTextScanner returns a scanner of data, which must not change while it is in use.
func NewTextScanner(data []byte) *TextScanner { return &TextScanner{data: data} }

// Err returns the first error, a *TextError, or nil. No pair follows an error.
func (s *TextScanner) Err() error { return s.err }

// Pairs yields the pairs that are left, up to the first that is malformed.
// Look at Err afterwards.
func (s *TextScanner) Pairs() iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		for {
			key, value, ok := s.Next()
			if !ok || !yield(key, value) {
				return
			}
		}
	}
}

// Next returns the next pair; ok is false at the end and at the first error. Empty
// pairs, NULs in a row, are skipped.
func (s *TextScanner) Next() (key, value []byte, ok bool) {
	for s.pos < len(s.data) && s.data[s.pos] == 0 {
		s.pos++
	}
	if s.err != nil || s.pos == len(s.data) {
		return nil, nil, false
	}
	rest := s.data[s.pos:]
	end := bytes.IndexByte(rest, 0)
	if end < 0 {
		return s.fail("no NUL ends it")
	}
	key, value, found := bytes.Cut(rest[:end:end], []byte{'='})
	switch {
	case !found:
		return s.fail("no '=' in it")
	case len(key) == 0 || len(key) > MaxKeyLen:
		return s.fail("key is empty or longer than 63 bytes")
	case len(value) > MaxValueLen:
		return s.fail("value is longer than 8192 bytes")
	}
	s.pos += end + 1
	return key, value, true
}

func (s *TextScanner) fail(reason string) (key, value []byte, ok bool) {
	s.err = &TextError{Offset: s.pos, Reason: reason}
	return nil, nil, false
}
