package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/hawser-storage/hawser/cmd/internal/unixsock"
)

// The bounds of a connection. There is none on how long a request is worked at: an attach takes as long as its logins.
const (
	readWithin = 10 * time.Second // a request, with its body
	idleWithin = 30 * time.Second
	maxHeader  = 16 << 10 // bytes
	endWithin  = 5 * time.Second
)

// Serve answers at ln until ctx is done, and closes ln. The requests under way then see their own contexts end, and have a moment to
// answer. Its error is why it could not go on; nil when ctx ended it.
func Serve(ctx context.Context, ln net.Listener, s Service) error {
	srv := &http.Server{
		Handler:        NewServer(s),
		ReadTimeout:    readWithin,
		IdleTimeout:    idleWithin,
		MaxHeaderBytes: maxHeader,
		BaseContext:    func(net.Listener) context.Context { return ctx },
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(unixsock.Guard(ln)) }()
	select {
	case err := <-served: // it cannot accept any more
		return errors.Join(err, srv.Close())
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
	defer cancel()
	if srv.Shutdown(end) != nil {
		_ = srv.Close() // what does not end in time is cut off
	}
	<-served
	return nil
}
