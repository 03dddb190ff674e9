package api

import (
	"context"
	"fmt"
	"net/url"
	"time"
)

// Client is a [Service] of another process. It keeps nothing open between requests. All its errors are an [*Error].
type Client struct {
	path    string
	version Version
}

var _ Service = (*Client)(nil)

// Dial asks who answers at a socket. The error has kind [NotRunning] if nobody does.
func Dial(ctx context.Context, path string) (*Client, error) {
	c := &Client{path: path}
	if err := c.ask(ctx, "/v1/version", &c.version); err != nil {
		return nil, err
	}
	return c, nil
}

// DialDaemon asks the daemon.
func DialDaemon(ctx context.Context) (*Client, error) {
	path, err := socketOf(daemonName)
	if err != nil {
		return nil, noPlace(err)
	}
	return Dial(ctx, path)
}

// Path is that of the socket.
func (c *Client) Path() string { return c.path }

// Version implements [Service]: who answered when the client was made.
func (c *Client) Version() Version { return c.version }

// Attach implements [Service].
func (c *Client) Attach(ctx context.Context, r AttachRequest) (v Volume, err error) {
	err = c.do(ctx, "POST", "/v1/volumes", r, &v)
	return v, err
}

// Detach implements [Service].
func (c *Client) Detach(ctx context.Context, name string, force bool) error {
	if err := known(name); err != nil {
		return err
	}
	path := pathOf(name)
	if force {
		path += "?force=1"
	}
	return c.do(ctx, "DELETE", path, nil, nil)
}

// Release implements [Service].
func (c *Client) Release(ctx context.Context) error {
	return c.do(ctx, "POST", "/v1/release", nil, nil)
}

// Volumes implements [Service].
func (c *Client) Volumes(ctx context.Context) (all []Volume, err error) {
	err = c.ask(ctx, "/v1/volumes", &all)
	return all, err
}

// Volume implements [Service].
func (c *Client) Volume(ctx context.Context, name string) (v Volume, err error) {
	if err := known(name); err != nil {
		return v, err
	}
	err = c.ask(ctx, pathOf(name), &v)
	return v, err
}

// Rescan implements [Service].
func (c *Client) Rescan(ctx context.Context, name string) error {
	if name == "" {
		return c.do(ctx, "POST", "/v1/rescan", nil, nil)
	}
	if err := known(name); err != nil {
		return err
	}
	return c.do(ctx, "POST", pathOf(name)+"/rescan", nil, nil)
}

func pathOf(name string) string { return "/v1/volumes/" + url.PathEscape(name) }

// askWithin bounds what a process answers from memory: one that is stopped must not stop who asks.
const askWithin = 5 * time.Second

var errSilent = fmt.Errorf("no answer within %v: it is stopped, or overloaded", askWithin)

// ask gets what can be answered at once.
func (c *Client) ask(ctx context.Context, path string, answer any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, askWithin, errSilent)
	defer cancel()
	return c.do(ctx, "GET", path, nil, answer)
}
