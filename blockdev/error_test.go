package blockdev

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestErrorText(t *testing.T) {
	for _, tt := range []struct {
		err  Error
		want string
	}{
		{Error{}, "I/O error"},
		{Error{Code: CodeTimeout, Outcome: Unknown}, "timed out (outcome unknown)"},
		{Error{Code: CodeTransport, Where: "10.0.0.1:3260", Err: io.ErrUnexpectedEOF}, "10.0.0.1:3260: unexpected EOF"},
		{Error{Code: CodeTransport, Outcome: Unknown, Where: "p", Err: io.EOF}, "p: EOF (outcome unknown)"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestAsError(t *testing.T) {
	e := &Error{Outcome: Failed, Code: CodeNoSpace, Err: io.EOF}
	if got := AsError(fmt.Errorf("on the way: %w", e)); got != e {
		t.Errorf("got %v, want the error that was wrapped", got)
	}
	if !errors.Is(e, io.EOF) {
		t.Error("the cause is not in the chain")
	}
	got := AsError(io.EOF)
	if got.Outcome != Unknown || got.Code != CodeIO || got.Err != io.EOF {
		t.Errorf("got %+v, want the careful assumption", got)
	}
}
