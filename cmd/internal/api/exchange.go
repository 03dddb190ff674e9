package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 64 << 20

// do sends a request and waits for its answer. Each has a connection of its own, so that nothing is left over, and the other end sees
// at once when nobody waits any more. It is not an http.Client because that one logs when something else than HTTP listens there.
func (c *Client) do(ctx context.Context, method, path string, request, answer any) error {
	r, err := newRequest(ctx, method, path, request)
	if err != nil {
		return errorf(Usage, "%v", err)
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", c.path)
	if err != nil {
		return c.unreachable(ctx, err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	status, b, err := exchange(conn, r)
	if err != nil {
		return c.unanswered(ctx, err)
	}
	return c.read(status, b, answer)
}

func newRequest(ctx context.Context, method, path string, request any) (*http.Request, error) {
	var body io.Reader
	if request != nil {
		b, err := json.Marshal(request)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://hawser"+path, body)
	if err != nil {
		return nil, err
	}
	r.Close = true
	return r, nil
}

// errNotHTTP is the error when something else than HTTP listens there, such as an NBD server.
var errNotHTTP = errors.New("it does not speak hawser's language")

// exchange returns the status and the body of the answer.
func exchange(conn net.Conn, r *http.Request) (status int, body []byte, err error) {
	const begin = "HTTP/"
	writeErr := r.Write(conn) // one that was refused half-way has an answer nevertheless
	in := bufio.NewReader(io.LimitReader(conn, maxAnswer))
	if b, err := in.Peek(len(begin)); err != nil {
		return 0, nil, errors.Join(writeErr, err)
	} else if string(b) != begin {
		return 0, nil, errNotHTTP
	}
	resp, err := http.ReadResponse(in, r)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

// read takes an answer apart.
func (c *Client) read(status int, b []byte, answer any) error {
	if status == http.StatusOK {
		if answer == nil || json.Unmarshal(b, answer) == nil {
			return nil
		}
		return c.foreign()
	}
	e := &Error{}
	if json.Unmarshal(b, e) != nil || e.Kind == "" || e.Text == "" {
		return c.foreign()
	}
	return e
}

// foreign is the error when what answers is another version of hawser, or of something else.
func (c *Client) foreign() *Error {
	return errorf(Failed, "%s does not speak this version's language: restart it with this version of hawser", c.who())
}

// unreachable says why there is no connection.
func (c *Client) unreachable(ctx context.Context, err error) *Error {
	switch {
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ECONNREFUSED):
		return notRunning()
	case errors.Is(err, fs.ErrPermission):
		return errorf(Failed, "%s is another user's: use sudo", c.who())
	}
	return c.unanswered(ctx, err)
}

// unanswered says why there is no answer.
func (c *Client) unanswered(ctx context.Context, err error) *Error {
	kind := Failed
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case errors.Is(err, errNotHTTP):
		kind = NotRunning
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		err = errors.New("it hung up: see its log")
	}
	return errorf(kind, "%s: %v", c.who(), err)
}

func (c *Client) who() string {
	if c.version.PID == 0 {
		return "what listens at " + c.path
	}
	return fmt.Sprintf("process %d at %s", c.version.PID, c.path)
}

// notRunning is the error when nobody answers.
func notRunning() *Error {
	if e := rootOnly(); e != nil {
		return e
	}
	return errorf(NotRunning, "the daemon is not running: start it with 'systemctl start hawser' or 'hawser daemon', or use attach --foreground")
}

// noPlace is the error when this user has no place for sockets.
func noPlace(err error) *Error {
	if e := rootOnly(); e != nil {
		return e
	}
	return errorf(Failed, "%v", err)
}

// rootOnly is the error for a user who asks his own processes where he may have meant the host's.
func rootOnly() *Error {
	if os.Geteuid() == 0 || os.Getenv(dirVariable) != "" {
		return nil
	}
	if _, err := os.Stat(filepath.Join(systemDir, daemonName+suffix)); err != nil {
		return nil
	}
	return errorf(NotRunning, "no hawser of this user is running; the host's is root's: use sudo")
}
