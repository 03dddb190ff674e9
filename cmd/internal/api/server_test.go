package api

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// raw sends bytes to a daemon as they are, and returns what comes back.
func raw(t *testing.T, c *Client, request string) (*http.Response, string) {
	t.Helper()
	conn, err := net.Dial("unix", c.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		t.Log(err) // it may be refused half-way
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer to %.80q: %v", request, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	return resp, string(b)
}

func post(body string) string {
	return "POST /v1/volumes HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: " + number(len(body)) + "\r\n\r\n" + body
}

func number(n int) string { b, _ := json.Marshal(n); return string(b) }

func get(method, path string) string {
	return method + " " + path + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
}

// TestBadRequests are refused in words, and do not reach the service.
func TestBadRequests(t *testing.T) {
	f := &fake{version: Version{Version: "v1.2.3"}}
	c := serveDaemon(t, f)
	good := `{"urls":["iscsi://a/b/0"],"device":"auto"`
	for name, test := range map[string]struct {
		request string
		status  int
		want    string
	}{
		"no body":            {post(""), 400, "ends too early"},
		"half a body":        {post(good), 400, "ends too early"},
		"no JSON":            {post("attach it"), 400, "not understood"},
		"a list":             {post("[]"), 400, "not understood"},
		"null":               {post("null"), 400, "needs a URL"},
		"unknown field":      {post(good + `,"colour":"red"}`), 400, `unknown field "colour"`},
		"unknown option":     {post(good + `,"options":{"speed":9}}`), 400, `unknown field "speed"`},
		"wrong type":         {post(good + `,"once":"yes"}`), 400, "not understood"},
		"out of range":       {post(good + `,"options":{"memory":1e30}}`), 400, "not understood"},
		"two bodies":         {post(good + `}{}`), 400, "something after its end"},
		"garbage after":      {post(good + `}x`), 400, "something after its end"},
		"a bad name":         {post(good + `,"name":"a/b"}`), 400, "is no name"},
		"too large":          {post(`{"name":"` + strings.Repeat("a", maxRequest) + `"}`), 400, "more than 65536 bytes"},
		"too deep":           {post(strings.Repeat("[", 20000)), 400, "not understood"},
		"large chunks":       {"POST /v1/volumes HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n\"" + strings.Repeat("a", 0x20000), 400, "more than 65536 bytes"},
		"no such request":    {get("GET", "/v1/nonsense"), 400, "there is no request GET \"/v1/nonsense\": this process is hawser v1.2.3 and speaks /v1"},
		"another version":    {get("GET", "/v2/version"), 400, "speaks /v1"},
		"wrong method":       {get("PUT", "/v1/volumes"), 400, "there is no request PUT"},
		"bad method":         {get("BREW", "/v1/volumes/db"), 400, "there is no request BREW"},
		"no such name":       {get("GET", "/v1/volumes/a%00b"), 404, `there is no volume "a\x00b"`},
		"a path":             {get("DELETE", "/v1/volumes/%2Fetc%2Fpasswd"), 404, "there is no volume"},
		"a name of dots":     {get("GET", "/v1/volumes/%2E%2E"), 404, ""},
		"escape sequence":    {get("DELETE", "/v1/volumes/%1B%5B2J"), 404, `\x1b`},
		"long name":          {get("GET", "/v1/volumes/a"+strings.Repeat("%20", 1000)), 404, "there is no volume"},
		"rescan of nonsense": {get("POST", "/v1/volumes/a%20b/rescan"), 404, "there is no volume"},
		"strange force":      {get("DELETE", "/v1/volumes/db?force=perhaps"), 400, "want 0 or 1"},
	} {
		t.Run(name, func(t *testing.T) {
			resp, body := raw(t, c, test.request)
			var e Error
			if err := json.Unmarshal([]byte(body), &e); err != nil {
				t.Fatalf("status %d, no JSON: %q", resp.StatusCode, body)
			}
			if resp.StatusCode != test.status || !strings.Contains(e.Text, test.want) || resp.Header.Get("Content-Type") != "application/json" {
				t.Errorf("got status %d, %q, want %d, %q in it", resp.StatusCode, e.Text, test.status, test.want)
			}
		})
	}
	if len(f.calls) != 0 {
		t.Errorf("reached the service: %v", f.calls)
	}
	if _, err := c.Volumes(testContext(t)); err != nil {
		t.Errorf("and then: %v", err)
	}
}

// TestNoHTTP is refused before it is a request: in plain text.
func TestNoHTTP(t *testing.T) {
	c := serveDaemon(t, &fake{})
	for name, request := range map[string]string{
		"NBD":          "NBDMAGICIHAVEOPT\r\n\r\n",
		"no version":   "GET /v1/volumes\r\n\r\n",
		"large header": "GET /v1/volumes HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("x", 2*maxHeader) + "\r\n\r\n",
		"no host":      "GET /v1/volumes HTTP/1.1\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			if resp, _ := raw(t, c, request); resp.StatusCode < 400 || resp.StatusCode > 499 {
				t.Errorf("got status %d, want 4xx", resp.StatusCode)
			}
		})
	}
	if _, err := c.Volumes(testContext(t)); err != nil {
		t.Errorf("and then: %v", err)
	}
}

// TestGoneAttach: an attach ends when nobody waits for it any more.
func TestGoneAttach(t *testing.T) {
	f := &fake{block: make(chan struct{}), began: make(chan struct{}, 2)}
	c := serveDaemon(t, f)
	ctx, cancel := contextWithCancel(t)
	failed := make(chan error, 1)
	go func() {
		_, err := c.Attach(ctx, fullRequest())
		failed <- err
	}()
	<-f.began
	cancel()
	<-f.began // the service's context is done
	if err := <-failed; err == nil || !strings.Contains(err.Error(), "context canceled") {
		t.Errorf("got %v", err)
	}
}

// TestServeEnds lets a request that is under way answer that it ended.
func TestServeEnds(t *testing.T) {
	dir := ownDir(t)
	f := &fake{block: make(chan struct{}), began: make(chan struct{}, 2)}
	ln, err := ListenDaemon()
	stop := serve(t, ln, err, f)
	c, err := Dial(testContext(t), filepath.Join(dir, "hawser.sock"))
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() {
		_, err := c.Attach(testContext(t), fullRequest())
		failed <- err
	}()
	<-f.began
	stop()
	if err := <-failed; err == nil || err.Error() != "told to end" {
		t.Errorf("got %v, want that it was told to end", err)
	}
	if _, err := c.Volumes(testContext(t)); KindOf(err) != NotRunning {
		t.Errorf("and then: got %v, want %s", err, NotRunning)
	}
}

// TestServeFails when its listener does.
func TestServeFails(t *testing.T) {
	ownDir(t)
	ln, err := ListenDaemon()
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if err := Serve(t.Context(), ln, &fake{}); err == nil {
		t.Error("no error")
	}
}
