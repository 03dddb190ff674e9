package main

import (
	"errors"
	"testing"

	"github.com/hawser-storage/hawser/cmd/internal/stack"
)

func TestTCPLoopbackOnly(t *testing.T) {
	for addr, ok := range map[string]bool{
		"127.0.0.1:0": true, "127.9.9.9:0": true, "[::1]:0": true, "localhost:0": true,
		":0": false, "0.0.0.0:0": false, "[::]:0": false, "192.0.2.1:0": false, "example.org:0": false,
	} {
		ln, err := listenTCP(addr)
		if err == nil {
			ln.Close()
		}
		var usage *stack.UsageError
		if refused := errors.As(err, &usage); refused == ok {
			t.Errorf("%s: got %v, want allowed %v", addr, err, ok)
		}
	}
}

func TestUnixURI(t *testing.T) {
	for path, want := range map[string]string{
		"/run/hawser/vol.sock": "nbd+unix:///?socket=/run/hawser/vol.sock",
		"/run/a b&c=d+e%":      "nbd+unix:///?socket=/run/a%20b%26c%3Dd%2Be%25",
	} {
		if got := unixURI(path); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
