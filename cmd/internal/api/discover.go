package api

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Discover finds all processes of this user that answer: the daemon first, then those in the foreground by name. Sockets that nobody
// listens at, or not to this language, are passed over. With those that answered comes an error about those that should have; with
// none there is always an error, of kind [NotRunning] if nobody is there.
func Discover(ctx context.Context) ([]*Client, error) {
	dir, err := Dir()
	if err != nil {
		return nil, noPlace(err)
	}
	paths, err := sockets(dir)
	if err != nil {
		return nil, errorf(Failed, "%v", err)
	}
	clients := make([]*Client, len(paths))
	errs := make([]error, len(paths))
	var wg sync.WaitGroup
	for i, path := range paths {
		wg.Go(func() { clients[i], errs[i] = Dial(ctx, path) })
	}
	wg.Wait()
	clients = slices.DeleteFunc(clients, func(c *Client) bool { return c == nil })
	errs = slices.DeleteFunc(errs, func(err error) bool { return KindOf(err) == NotRunning })
	err = errors.Join(errs...)
	if len(clients) == 0 && err == nil {
		err = notRunning()
	}
	return clients, err
}

// sockets lists the sockets there are, the daemon's first.
func sockets(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var paths []string
	for _, e := range entries {
		if e.Type() == fs.ModeSocket && strings.HasSuffix(e.Name(), suffix) {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	daemon := filepath.Join(dir, daemonName+suffix)
	if i := slices.Index(paths, daemon); i > 0 {
		paths = slices.Insert(slices.Delete(paths, i, i+1), 0, daemon)
	}
	return paths, nil
}
