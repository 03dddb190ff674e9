package fio

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const sample = `fio: a note
{ "fio version": "fio-3.33", "jobs": [ { "error": 0,
  "read":  { "total_ios": 1000, "io_bytes": 4096000, "runtime": 2000,
             "clat_ns": { "percentile": { "50.000000": 90000, "99.000000": 250000 } } },
  "write": { "total_ios": 10, "io_bytes": 40960, "runtime": 1990,
             "clat_ns": { "percentile": { "50.000000": 1, "99.000000": 2 } } } } ] }`

func TestParse(t *testing.T) {
	got, err := parse([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	want := Result{
		IOs: 1010, Bytes: 4136960, Runtime: 2 * time.Second,
		P50: 90 * time.Microsecond, P99: 250 * time.Microsecond,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, want := got.IOPS(), 505.0; got != want {
		t.Errorf("IOPS: got %v, want %v", got, want)
	}
	if got, want := got.Bandwidth(), 2068480.0; got != want {
		t.Errorf("bandwidth: got %v, want %v", got, want)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, out := range map[string]string{
		"nothing":        "",
		"no report":      "fio: engine nbd not loadable",
		"cut off":        sample[:len(sample)-20],
		"two jobs":       `{"jobs":[{},{}]}`,
		"no I/O":         `{"jobs":[{"error":0}]}`,
		"an error":       strings.Replace(sample, `"error": 0`, `"error": 5`, 1),
		"no percentiles": strings.ReplaceAll(sample, "percentile", "other"),
	} {
		if res, err := parse([]byte(out)); err == nil {
			t.Errorf("%s: got %+v, want an error", name, res)
		}
	}
}
