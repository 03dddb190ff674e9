package vm

import (
	"os"
	"path/filepath"
	"testing"
)

func TestEnd(t *testing.T) {
	for _, test := range []struct {
		text string
		n    int
		want string
	}{
		{"one\ntwo\n", 100, "one\ntwo"},
		{"one\ntwo\nthree\n", 8, "...\nthree"},
		{"a line too long", 4, "...\nlong"},
	} {
		if got := end(test.text, test.n); got != test.want {
			t.Errorf("the end of %q: got %q, want %q", test.text, got, test.want)
		}
	}
}

func TestLogsAreBounded(t *testing.T) {
	c := cache{t.TempDir()}
	for range 2 * keptLogs {
		path, err := c.newLog()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, err := filepath.Glob(filepath.Join(c.dir, "logs", "*"))
	if err != nil || len(all) == 0 || len(all) > keptLogs {
		t.Errorf("got %d logs, %v, want at most %d", len(all), err, keptLogs)
	}
}
