package kernel

import (
	"encoding/json"
	"errors"
	"syscall"
)

// fault is an error that can be sent from one process to another. What it is stays, so far as anybody asks.
type fault struct{ error }

// sent is a fault on its way.
type sent struct {
	Text   string
	Errno  syscall.Errno `json:",omitempty"`
	Advice string        `json:",omitempty"` // of a *DriverError, whose Err the rest is
}

// MarshalJSON implements [json.Marshaler].
func (f fault) MarshalJSON() ([]byte, error) {
	if f.error == nil {
		return []byte("null"), nil
	}
	err := f.error
	var s sent
	var driver *DriverError
	if errors.As(err, &driver) {
		s.Advice, err = driver.Advice, driver.Err
	}
	if err != nil {
		s.Text = err.Error()
		_ = errors.As(err, &s.Errno)
	}
	return json.Marshal(s)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (f *fault) UnmarshalJSON(b []byte) error {
	var s *sent
	if err := json.Unmarshal(b, &s); err != nil || s == nil {
		return err
	}
	if s.Text != "" {
		f.error = s
	}
	if s.Advice != "" {
		f.error = &DriverError{Err: f.error, Advice: s.Advice}
	}
	return nil
}

func (s *sent) Error() string { return s.Text }

func (s *sent) Unwrap() error {
	if s.Errno == 0 {
		return nil
	}
	return s.Errno
}
