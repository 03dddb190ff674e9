package login

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// Conn is what a login needs of a connection; a net.Conn has it. SetDeadline
// unblocks reads and writes under way when the context ends.
type Conn interface {
	io.Reader
	io.Writer
	SetDeadline(time.Time) error
}

// What a login may take, so that no peer keeps us busy or makes us hold much.
const (
	// DefaultTimeout ends a login whose context has no deadline.
	DefaultTimeout = 15 * time.Second

	maxRounds  = 32       // PDUs read; a login with CHAP takes about 6
	maxText    = 64 << 10 // bytes of text read; a login takes about 1 KiB
	maxSegment = 8192     // bytes of a login PDU's data, RFC 7143 section 13.12
)

// guard runs a login that ends when ctx does, at the latest after
// DefaultTimeout if ctx names no time, and leaves no deadline behind.
func (w *wire) guard(ctx context.Context, run func() error) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, DefaultTimeout)
		defer cancel()
	}
	unblocked := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = w.rw.SetDeadline(time.Unix(1, 0))
		close(unblocked)
	})
	err := run()
	if stop() {
		return err
	}
	<-unblocked
	_ = w.rw.SetDeadline(time.Time{})
	if broken, ok := errors.AsType[*IOError](err); ok {
		return &InterruptedError{Peer: broken.Peer, During: broken.During, Err: context.Cause(ctx)}
	}
	if err == nil {
		return &InterruptedError{Peer: w.side.peer().String(), During: "the last step", Err: context.Cause(ctx)}
	}
	return err
}

// wire reads and writes login PDUs, and never a byte beyond them.
type wire struct {
	side   side
	rw     Conn
	bhs    pdu.BHS
	data   [maxSegment]byte
	out    []byte
	rounds int
	text   int
}

// readHeader reads the next header into w.bhs.
func (w *wire) readHeader(during string) error {
	w.rounds++
	if w.rounds > maxRounds {
		return w.side.violation("did not come to an end of the login in %d PDUs", maxRounds)
	}
	if _, err := io.ReadFull(w.rw, w.bhs[:]); err != nil {
		return w.ioError(during, err)
	}
	return nil
}

// readData reads the data segment that the header in w.bhs announces. It is
// valid until the next call.
func (w *wire) readData(during string) ([]byte, error) {
	n := pdu.DataLen(&w.bhs)
	if n > maxSegment {
		return nil, w.side.violation("sent a login PDU with %d bytes of data, at most %d are allowed", n, maxSegment)
	}
	w.text += n
	if w.text > maxText {
		return nil, w.side.violation("sent more than %d bytes of login text", maxText)
	}
	if _, err := io.ReadFull(w.rw, w.data[:pdu.Pad(n)]); err != nil {
		return nil, w.ioError(during, err)
	}
	return w.data[:n], nil
}

// write sends one PDU.
func (w *wire) write(during string, bhs *pdu.BHS, data []byte) error {
	w.out = pdu.AppendFrame(w.out[:0], bhs, nil, data, false, false)
	if _, err := w.rw.Write(w.out); err != nil {
		return w.ioError(during, err)
	}
	return nil
}

// An IOError is a connection that failed during a login.
type IOError struct {
	Peer   string // "target" or "initiator"
	During string // what we were at
	Err    error
}

func (e *IOError) Error() string {
	switch {
	case errors.Is(e.Err, io.EOF) && e.Peer == target.String():
		return fmt.Sprintf("login: the target closed the connection in %s: it does not want us, or is no iSCSI target", e.During)
	case errors.Is(e.Err, io.EOF):
		return fmt.Sprintf("login: the %s closed the connection in %s", e.Peer, e.During)
	case errors.Is(e.Err, io.ErrUnexpectedEOF):
		return fmt.Sprintf("login: the %s closed the connection in the middle of a PDU, in %s", e.Peer, e.During)
	}
	return fmt.Sprintf("login: the connection to the %s failed in %s: %v", e.Peer, e.During, e.Err)
}

func (e *IOError) Unwrap() error { return e.Err }

func (w *wire) ioError(during string, err error) error {
	return &IOError{Peer: w.side.peer().String(), During: during, Err: err}
}

// An InterruptedError is a login that did not end before its context did: the
// peer is silent or too slow, or the caller gave up.
type InterruptedError struct {
	Peer   string // "target" or "initiator"
	During string // what we were waiting for
	Err    error  // the context's cause
}

func (e *InterruptedError) Error() string {
	if errors.Is(e.Err, context.DeadlineExceeded) {
		return fmt.Sprintf("login: the time is up and the %s is still silent in %s: %v", e.Peer, e.During, e.Err)
	}
	return fmt.Sprintf("login: given up in %s: %v", e.During, e.Err)
}

func (e *InterruptedError) Unwrap() error { return e.Err }

// Timeout says that it was the time that ended the login.
func (e *InterruptedError) Timeout() bool { return errors.Is(e.Err, context.DeadlineExceeded) }

// textPairs walks the pairs of a whole text.
func textPairs(data []byte) iter.Seq2[Pair, error] {
	return func(yield func(Pair, error) bool) {
		s := pdu.NewTextScanner(data)
		for k, v := range s.Pairs() {
			if !yield(Pair{string(k), string(v)}, nil) {
				return
			}
		}
		if err := s.Err(); err != nil {
			yield(Pair{}, err)
		}
	}
}

// parseText returns all pairs of a whole text.
func (w *wire) parseText(data []byte) ([]Pair, error) {
	var pairs []Pair
	for p, err := range textPairs(data) {
		if err != nil {
			return nil, w.side.violation("sent a login text that cannot be read: %v", err)
		}
		pairs = append(pairs, p)
	}
	return pairs, nil
}

func appendPairs(dst []byte, pairs []Pair) []byte {
	for _, p := range pairs {
		dst = pdu.AppendText(dst, p.Key, p.Value)
	}
	return dst
}

// segments cuts text for PDUs of at most n bytes each; an empty text is one
// empty segment.
func segments(text []byte, n int) iter.Seq2[[]byte, bool] {
	return func(yield func(segment []byte, last bool) bool) {
		for len(text) > n {
			if !yield(text[:n], false) {
				return
			}
			text = text[n:]
		}
		yield(text, true)
	}
}
