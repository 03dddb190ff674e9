package scsi

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// unhex decodes hexadecimal digits with blanks anywhere.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// cdb is unhex padded to a CDB.
func cdb(t testing.TB, s string) *CDB {
	t.Helper()
	var c CDB
	if b := unhex(t, s); copy(c[:], b) < len(b) {
		t.Fatalf("CDB of %d bytes", len(b))
	}
	return &c
}

// dirty is a CDB whose bytes a builder has to overwrite.
func dirty() *CDB {
	var c CDB
	for i := range c {
		c[i] = 0xff
	}
	return &c
}

func equal(t testing.TB, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// golden checks both directions of a page: v appends to data, and data parses to v.
func golden[T any](t *testing.T, v T, data []byte, app func(T, []byte) []byte, parse func([]byte) (T, error)) {
	t.Helper()
	equal(t, app(v, []byte("xy")), append([]byte("xy"), data...))
	got, err := parse(data)
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	equal(t, got, v)
}

// truncations parses every prefix of data in memory of exactly that size. Below ok bytes it must fail with a *FormatError; from
// there on it must succeed.
func truncations[T any](t *testing.T, data []byte, ok int, parse func([]byte) (T, error)) {
	t.Helper()
	for n := range len(data) + 1 {
		_, err := parse(data[:n:n])
		if n >= ok {
			if err != nil {
				t.Errorf("%d bytes of %d: got %v, want no error", n, len(data), err)
			}
			continue
		}
		var f *FormatError
		if !errors.As(err, &f) {
			t.Errorf("%d bytes of %d: got %v, want a FormatError", n, len(data), err)
		} else if f.Need <= n || f.Need > len(data) {
			t.Errorf("%d bytes of %d: Need is %d", n, len(data), f.Need)
		}
	}
}

// refused checks that err is a *CDBError at offset.
func refused(t testing.TB, err error, offset uint8) {
	t.Helper()
	var e *CDBError
	if !errors.As(err, &e) {
		t.Errorf("got %v, want a CDBError", err)
	} else if e.Byte != offset {
		t.Errorf("got %v, want byte %d refused", err, offset)
	}
}
