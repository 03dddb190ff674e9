package api

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fill gives each field a value of its own, so that one that is lost or changes places is seen.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString(fmt.Sprintf("word %d", *n))
	case reflect.Int:
		v.SetInt(int64(*n))
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.Float64:
		v.SetFloat(float64(*n) + 0.25)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(int64(*n), 5e8).UTC()))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	default:
		panic("a field of kind " + v.Kind().String())
	}
}

func filled[T any]() (x T) {
	n := 0
	fill(reflect.ValueOf(&x).Elem(), &n)
	return x
}

// fullRequest has every field, with words that are valid.
func fullRequest() AttachRequest {
	r := filled[AttachRequest]()
	r.Name, r.Device = "db", "/dev/nbd7"
	r.Options.HeaderDigest, r.Options.DataDigest = []string{"None", "CRC32C"}, []string{"CRC32C"}
	r.Options.InitialR2T, r.Options.ImmediateData = "yes", "no"
	return r
}

func TestRoundTrip(t *testing.T) {
	f := &fake{version: filled[Version](), volumes: []Volume{filled[Volume](), {Name: "empty"}}}
	c := serveDaemon(t, f)
	ctx := testContext(t)
	if diff := cmp.Diff(c.Version(), f.version); diff != "" {
		t.Errorf("version: got - want +:\n%s", diff)
	}
	v, err := c.Attach(ctx, fullRequest())
	if diff := cmp.Diff(v, f.volumes[0]); err != nil || diff != "" {
		t.Errorf("attach: %v, got - want +:\n%s", err, diff)
	}
	all, err := c.Volumes(ctx)
	if diff := cmp.Diff(all, f.volumes); err != nil || diff != "" {
		t.Errorf("volumes: %v, got - want +:\n%s", err, diff)
	}
	v, err = c.Volume(ctx, "/dev/nbd7")
	if diff := cmp.Diff(v, f.volumes[0]); err != nil || diff != "" {
		t.Errorf("volume: %v, got - want +:\n%s", err, diff)
	}
	for _, err := range []error{
		c.Detach(ctx, "db", false), c.Detach(ctx, "/dev/nbd7", true), c.Rescan(ctx, "db"), c.Rescan(ctx, "/dev/nbd7"), c.Rescan(ctx, ""), c.Release(ctx),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	want := []any{
		[]any{"attach", fullRequest()},
		[]any{"volumes"},
		[]any{"volume", "/dev/nbd7"},
		[]any{"detach", "db", false},
		[]any{"detach", "/dev/nbd7", true},
		[]any{"rescan", "db"},
		[]any{"rescan", "/dev/nbd7"},
		[]any{"rescan", ""},
		[]any{"release"},
	}
	if diff := cmp.Diff(f.calls, want); diff != "" {
		t.Errorf("calls: got - want +:\n%s", diff)
	}
}

func TestNoVolumesIsAnEmptyList(t *testing.T) {
	c := serveDaemon(t, &fake{})
	if all, err := c.Volumes(testContext(t)); err != nil || len(all) != 0 {
		t.Errorf("got %v, %v, want none", all, err)
	}
}

// TestErrors has every kind come back from every method.
func TestErrors(t *testing.T) {
	f := &fake{}
	c := serveDaemon(t, f)
	ctx := testContext(t)
	for _, sent := range []*Error{
		{Kind: Failed, Text: "the storage said no: look there"},
		{Kind: Usage, Text: "that makes no sense"},
		{Kind: NotFound, Text: `no volume "db"`},
		{Kind: Exists, Text: "the name is taken"},
		{Kind: Busy, Text: "/dev/nbd7: in use: mounted at /mnt, open by fio (process 4711)", Holders: []string{"mounted at /mnt", "open by fio (process 4711)"}},
	} {
		f.err = sent
		for method, call := range map[string]func() error{
			"attach":  func() error { _, err := c.Attach(ctx, fullRequest()); return err },
			"detach":  func() error { return c.Detach(ctx, "db", true) },
			"volumes": func() error { _, err := c.Volumes(ctx); return err },
			"volume":  func() error { _, err := c.Volume(ctx, "db"); return err },
			"rescan":  func() error { return c.Rescan(ctx, "db") },
		} {
			got, ok := errors.AsType[*Error](call())
			if !ok {
				t.Fatalf("%s, %s: no *Error", method, sent.Kind)
			}
			if diff := cmp.Diff(got, sent); diff != "" {
				t.Errorf("%s: got - want +:\n%s", method, diff)
			}
		}
	}
}

// TestOtherErrors are those that are no *Error, or have one within.
func TestOtherErrors(t *testing.T) {
	f := &fake{}
	c := serveDaemon(t, f)
	busy := &Error{Kind: Busy, Text: "/dev/nbd7: in use: mounted at /mnt", Holders: []string{"mounted at /mnt"}}
	for _, test := range []struct {
		sent error
		want Error
	}{
		{errors.New("out of luck"), Error{Kind: Failed, Text: "out of luck"}},
		{&Error{Text: "no kind"}, Error{Kind: Failed, Text: "no kind"}},
		{&Error{Kind: Exists}, Error{Kind: Exists, Text: "exists"}},
		{fmt.Errorf("volume db: %w: wait", busy), Error{Kind: Busy, Text: "volume db: /dev/nbd7: in use: mounted at /mnt: wait", Holders: busy.Holders}},
	} {
		f.err = test.sent
		got, _ := errors.AsType[*Error](c.Rescan(testContext(t), "db"))
		if diff := cmp.Diff(got, &test.want); diff != "" {
			t.Errorf("%v: got - want +:\n%s", test.sent, diff)
		}
	}
}

func TestKindOf(t *testing.T) {
	for _, test := range []struct {
		err  error
		want Kind
	}{
		{&Error{Kind: Busy, Text: "x"}, Busy},
		{fmt.Errorf("x: %w", &Error{Kind: Busy, Text: "x"}), Busy},
		{errors.Join(errors.New("x"), &Error{Kind: NotFound, Text: "x"}), NotFound},
		{errors.New("x"), Failed},
		{&Error{Text: "x"}, Failed},
	} {
		if got := KindOf(test.err); got != test.want {
			t.Errorf("%v: got %q, want %q", test.err, got, test.want)
		}
	}
}

func TestValidate(t *testing.T) {
	if r := fullRequest(); r.Validate() != nil {
		t.Errorf("a valid one: %v", r.Validate())
	}
	few := AttachRequest{URLs: []string{"iscsi://a/b/0"}, Device: "auto"}
	if err := few.Validate(); err != nil {
		t.Errorf("one of little: %v", err)
	}
	for word, spoil := range map[string]func(*AttachRequest){
		"is no name":        func(r *AttachRequest) { r.Name = "../db" },
		"needs a URL":       func(r *AttachRequest) { r.URLs = nil },
		"URL":               func(r *AttachRequest) { r.URLs = []string{"iscsi://a/b/0", ""} },
		"is no device":      func(r *AttachRequest) { r.Device = "/dev/sda" },
		"no device":         func(r *AttachRequest) { r.Device = "" },
		"fence_timeout":     func(r *AttachRequest) { r.Options.FenceTimeout = -1 },
		"dead_conn_timeout": func(r *AttachRequest) { r.Options.DeadConnTimeout = 1e300 },
		"login_timeout":     func(r *AttachRequest) { r.Options.LoginTimeout = -0.5 },
		"noop_out_interval": func(r *AttachRequest) { r.Options.NOOPInterval = -1 },
		"noop_out_timeout":  func(r *AttachRequest) { r.Options.NOOPTimeout = -1 },
		"no_path_retry":     func(r *AttachRequest) { r.Options.NoPathRetry = new(1e12) },
		"socket_buffer":     func(r *AttachRequest) { r.Options.SocketBuffer = -2 },
		"cmds_max":          func(r *AttachRequest) { r.Options.CmdsMax = -1 },
		"memory":            func(r *AttachRequest) { r.Options.Memory = -1 },
		"header_digest":     func(r *AttachRequest) { r.Options.HeaderDigest = []string{"MD5"} },
		"data_digest":       func(r *AttachRequest) { r.Options.DataDigest = []string{""} },
		"initial_r2t":       func(r *AttachRequest) { r.Options.InitialR2T = "Yes" },
		"immediate_data":    func(r *AttachRequest) { r.Options.ImmediateData = "maybe" },
	} {
		r := fullRequest()
		spoil(&r)
		if err := r.Validate(); KindOf(err) != Usage || !strings.Contains(err.Error(), word) {
			t.Errorf("got %v, want %q in it", err, word)
		}
	}
}
