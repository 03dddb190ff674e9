package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hawser-storage/hawser/iscsi"
	"github.com/hawser-storage/hawser/iscsi/login"
	"github.com/hawser-storage/hawser/iscsi/target"
)

// The types of flags. Each is a pflag.Value: String, Set, Type.

// sizeFlag is a number of bytes: K, M, G and T are binary, and exact.
type sizeFlag uint64

func (f *sizeFlag) Set(s string) error {
	n, err := target.ParseSize(s)
	if err != nil {
		return err
	}
	*f = sizeFlag(n)
	return nil
}

func (f *sizeFlag) Type() string { return "SIZE" }

func (f *sizeFlag) String() string {
	n, unit := uint64(*f), ""
	for _, u := range []string{"K", "M", "G", "T"} {
		if n == 0 || n%1024 != 0 {
			break
		}
		n, unit = n/1024, u
	}
	return strconv.FormatUint(n, 10) + unit
}

// bufferFlag is the size of socket buffers in bytes, or auto.
type bufferFlag int

func (f *bufferFlag) Set(s string) error {
	if s == "auto" {
		*f = iscsi.BufferAuto
		return nil
	}
	n, err := target.ParseSize(s)
	if err != nil {
		return fmt.Errorf("%w, or auto", err)
	}
	if n < 4<<10 || n > 1<<30 {
		return fmt.Errorf("%s is not within 4K and 1G, nor auto", s)
	}
	*f = bufferFlag(n)
	return nil
}

func (f *bufferFlag) Type() string { return "SIZE|auto" }

func (f *bufferFlag) String() string {
	if *f == iscsi.BufferAuto {
		return "auto"
	}
	s := sizeFlag(*f)
	return s.String()
}

// secondsFlag is a time: a number of seconds, as open-iscsi's timeouts are, or a number with a unit.
type secondsFlag time.Duration

func (f *secondsFlag) Set(s string) error {
	d, err := parseSeconds(s)
	if err != nil {
		return err
	}
	if d <= 0 {
		return fmt.Errorf("%s is not more than 0", s)
	}
	*f = secondsFlag(d)
	return nil
}

func (f *secondsFlag) Type() string   { return "SECONDS" }
func (f *secondsFlag) String() string { return time.Duration(*f).String() }

func parseSeconds(s string) (time.Duration, error) {
	const most = 10 * 365 * 24 * time.Hour
	d, err := time.ParseDuration(s)
	if n, nerr := strconv.ParseUint(s, 10, 31); nerr == nil {
		d, err = time.Duration(n)*time.Second, nil
	}
	if err != nil || d < 0 || d > most {
		return 0, fmt.Errorf("%q is no time: want seconds, or a number with a unit, such as 500ms or 2m", s)
	}
	return d, nil
}

// retryFlag is multipath's no_path_retry as a time.
type retryFlag time.Duration

const queueForEver = -1

func (f *retryFlag) Set(s string) error {
	switch s {
	case "fail":
		*f = 0
		return nil
	case "queue":
		*f = queueForEver
		return nil
	}
	d, err := parseSeconds(s)
	if err != nil {
		return fmt.Errorf("%w; or fail, or queue", err)
	}
	*f = retryFlag(d)
	return nil
}

func (f *retryFlag) Type() string { return "SECONDS|fail|queue" }

func (f *retryFlag) String() string {
	switch *f {
	case 0:
		return "fail"
	case queueForEver:
		return "queue"
	}
	return time.Duration(*f).String()
}

// digestFlag lists digests, the most wanted first.
type digestFlag []string

func (f *digestFlag) Set(s string) error {
	var list []string
	for d := range strings.SplitSeq(s, ",") {
		if d != "None" && d != "CRC32C" || slices.Contains(list, d) {
			return fmt.Errorf("%q: want None, CRC32C, or both with a comma, the preferred one first", s)
		}
		list = append(list, d)
	}
	*f = list
	return nil
}

func (f *digestFlag) Type() string   { return "LIST" }
func (f *digestFlag) String() string { return strings.Join(*f, ",") }

// choiceFlag is a boolean key of the login.
type choiceFlag login.Choice

func (f *choiceFlag) Set(s string) error {
	switch strings.ToLower(s) {
	case "yes":
		*f = choiceFlag(login.Yes)
	case "no":
		*f = choiceFlag(login.No)
	default:
		return fmt.Errorf("%q is neither yes nor no", s)
	}
	return nil
}

func (f *choiceFlag) Type() string { return "yes|no" }

func (f *choiceFlag) String() string {
	if login.Choice(*f) == login.Yes {
		return "yes"
	}
	return "no"
}
