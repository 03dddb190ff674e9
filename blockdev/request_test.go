package blockdev

import (
	"errors"
	"strings"
	"testing"
)

// layer notes what comes back to it and passes it up.
type layer struct {
	name  string
	notes *[]string
	then  func(r *Request, err error)
}

func (l *layer) Completed(r *Request, err error) {
	if l.notes != nil {
		*l.notes = append(*l.notes, l.name)
	}
	if l.then != nil {
		l.then(r, err)
	}
}

func up(r *Request, err error) { r.Complete(err) }

func TestLayersComeBackInReverse(t *testing.T) {
	var notes []string
	want := &Error{Code: CodeTransport}
	var got error
	r := &Request{Op: Write}
	r.Push(&layer{"nbd", &notes, func(_ *Request, err error) { got = err }})
	r.Push(&layer{"mpio", &notes, up})
	r.Push(&layer{"fault", &notes, up})
	r.Complete(want)
	if s := strings.Join(notes, " "); s != "fault mpio nbd" {
		t.Errorf("came back to %s, want fault mpio nbd", s)
	}
	if got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestRetry pushes again while it completes, as multipath does, more often than there are layers.
func TestRetry(t *testing.T) {
	r := &Request{Op: Read}
	tries, done := 0, false
	r.Push(&layer{then: func(*Request, error) { done = true }})
	attempt := &layer{}
	attempt.then = func(r *Request, err error) {
		if tries++; tries < 3*maxLayers {
			r.Push(attempt)
			r.Complete(err)
			return
		}
		r.Complete(nil)
	}
	r.Push(attempt)
	r.Complete(errors.New("first"))
	if !done || tries != 3*maxLayers {
		t.Errorf("%d tries, done: %v", tries, done)
	}
}

func TestCompleteTwicePanics(t *testing.T) {
	r := &Request{Op: Write}
	r.Push(&layer{})
	r.Complete(nil)
	defer func() {
		if s, _ := recover().(string); !strings.Contains(s, "WRITE") {
			t.Errorf("got the panic %q, want one that names the WRITE", s)
		}
	}()
	r.Complete(nil)
}

func TestOverlaps(t *testing.T) {
	for _, tt := range []struct {
		a, b, c, d uint64 // offset, length, offset, length
		want       bool
	}{
		{0, 512, 512, 512, false},
		{0, 513, 512, 512, true},
		{0, 4096, 512, 512, true},
		{512, 512, 512, 512, true},
		{1024, 512, 0, 1024, false},
		{512, 0, 0, 512, false},
		{0, 512, 4096, 0, false},
		{0, 4096, 512, 0, false},
	} {
		x, y := &Request{Offset: tt.a, Length: tt.b}, &Request{Offset: tt.c, Length: tt.d}
		if x.Overlaps(y) != tt.want || y.Overlaps(x) != tt.want {
			t.Errorf("%s and %s: got %v and %v, want %v", x, y, x.Overlaps(y), y.Overlaps(x), tt.want)
		}
	}
}

func TestStrings(t *testing.T) {
	for got, want := range map[string]string{
		(&Request{Op: Read, Offset: 512, Length: 4096}).String(): "READ 512+4096",
		(&Request{Op: Flush}).String():                           "FLUSH",
		Op(NumOps).String():                                      "op(5)",
		Outcome(9).String():                                      "outcome(9)",
		Code(200).String():                                       "code(200)",
		CodeNoMemory.String():                                    "out of buffers",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for op := range Op(NumOps) {
		if strings.Contains(op.String(), "(") {
			t.Errorf("op %d has no name", op)
		}
	}
	if len(codeNames) != int(CodeNoMemory)+1 {
		t.Errorf("%d names of %d codes", len(codeNames), CodeNoMemory+1)
	}
}

func TestModifies(t *testing.T) {
	for op, want := range map[Op]bool{Read: false, Write: true, Flush: false, Trim: true, WriteZeroes: true} {
		if got := op.Modifies(); got != want {
			t.Errorf("%s: got %v, want %v", op, got, want)
		}
	}
}
