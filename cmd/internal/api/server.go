package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxRequest bounds the body of a request, in bytes.
const maxRequest = 64 << 10

// answerWithin bounds how long a peer may take to read an answer.
const answerWithin = 10 * time.Second

// NewServer answers requests by asking a service. It is the routes alone: [Serve] adds the bounds of time.
func NewServer(s Service) http.Handler {
	mux := http.NewServeMux()
	handle(mux, "GET /v1/version", func(*http.Request) (any, error) {
		return s.Version(), nil
	})
	handle(mux, "GET /v1/volumes", func(r *http.Request) (any, error) {
		all, err := s.Volumes(r.Context())
		return append([]Volume{}, all...), err // never null
	})
	handle(mux, "POST /v1/volumes", func(r *http.Request) (any, error) {
		var a AttachRequest
		if err := decode(r, &a); err != nil {
			return nil, err
		}
		return s.Attach(r.Context(), a)
	})
	handle(mux, "GET /v1/volumes/{name}", func(r *http.Request) (any, error) {
		name := r.PathValue("name")
		if err := known(name); err != nil {
			return nil, err
		}
		return s.Volume(r.Context(), name)
	})
	handle(mux, "DELETE /v1/volumes/{name}", func(r *http.Request) (any, error) {
		name := r.PathValue("name")
		if err := known(name); err != nil {
			return nil, err
		}
		force, err := forced(r)
		if err != nil {
			return nil, err
		}
		return nil, s.Detach(r.Context(), name, force)
	})
	handle(mux, "POST /v1/volumes/{name}/rescan", func(r *http.Request) (any, error) {
		name := r.PathValue("name")
		if err := known(name); err != nil {
			return nil, err
		}
		return nil, s.Rescan(r.Context(), name)
	})
	handle(mux, "POST /v1/release", func(r *http.Request) (any, error) {
		return nil, s.Release(r.Context())
	})
	handle(mux, "POST /v1/rescan", func(r *http.Request) (any, error) {
		return nil, s.Rescan(r.Context(), "")
	})
	handle(mux, "/", func(r *http.Request) (any, error) {
		return nil, errorf(Usage, "there is no request %s %.80q: this process is hawser %s and speaks /v1", r.Method, r.URL.Path, s.Version().Version)
	})
	return mux
}

// handle answers a request with what fn returns, or with its error.
func handle(mux *http.ServeMux, pattern string, fn func(*http.Request) (any, error)) {
	mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
		answer, err := fn(r)
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerWithin)) // only a recorder in a test has none
		w.Header().Set("Content-Type", "application/json")
		if err != nil {
			answer = asError(err)
			w.WriteHeader(statusOf(KindOf(err)))
		}
		_ = json.NewEncoder(w).Encode(answer) // the peer may have gone
	})
}

// asError is err as it goes over the wire.
func asError(err error) *Error {
	e := &Error{Kind: KindOf(err), Text: err.Error()}
	if in, ok := errors.AsType[*Error](err); ok {
		e.Holders = in.Holders
	}
	e.Text = cmp.Or(e.Text, string(e.Kind))
	return e
}

func statusOf(k Kind) int {
	switch k {
	case Usage:
		return http.StatusBadRequest
	case NotFound:
		return http.StatusNotFound
	case Exists:
		return http.StatusConflict
	case Busy:
		return http.StatusLocked
	}
	return http.StatusInternalServerError
}

// decode reads a request, the whole of it, and nothing else.
func decode(r *http.Request, a *AttachRequest) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(a); err != nil {
		return badRequest(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errorf(Usage, "the request has something after its end")
	}
	return a.Validate()
}

func badRequest(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return errorf(Usage, "the request has more than %d bytes", maxRequest)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errorf(Usage, "the request ends too early")
	}
	return errorf(Usage, "the request is not understood: %s", strings.TrimPrefix(err.Error(), "json: "))
}

func forced(r *http.Request) (bool, error) {
	switch v := r.URL.Query().Get("force"); v {
	case "", "0":
		return false, nil
	case "1":
		return true, nil
	default:
		return false, errorf(Usage, "force=%.80q: want 0 or 1", v)
	}
}
