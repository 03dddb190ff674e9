package api

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDir(t *testing.T) {
	t.Setenv(dirVariable, "/somewhere")
	if dir, err := Dir(); dir != "/somewhere" || err != nil {
		t.Errorf("got %q, %v", dir, err)
	}
	t.Setenv(dirVariable, "")
	t.Setenv("XDG_RUNTIME_DIR", "/run/user/1000")
	want := "/run/user/1000/hawser"
	if os.Geteuid() == 0 {
		want = "/run/hawser"
	}
	if dir, err := Dir(); dir != want || err != nil {
		t.Errorf("got %q, %v, want %q", dir, err, want)
	}
	if dir, err := userDir(1000, "/run/user/1000"); dir != "/run/user/1000/hawser" || err != nil {
		t.Errorf("got %q, %v", dir, err)
	}
	for _, runtime := range []string{"", "here"} {
		if _, err := userDir(1000, runtime); err == nil || !strings.Contains(err.Error(), "XDG_RUNTIME_DIR") {
			t.Errorf("%q: got %v, want advice", runtime, err)
		}
	}
}

func TestListen(t *testing.T) {
	dir := ownDir(t)
	ln, err := ListenDaemon()
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for path, want := range map[string]os.FileMode{dir: os.ModeDir | 0o700, filepath.Join(dir, "hawser.sock"): os.ModeSocket | 0o600} {
		if fi, err := os.Stat(path); err != nil || fi.Mode() != want {
			t.Errorf("%s: got %v, %v, want %v", path, fi.Mode(), err, want)
		}
	}
	_, err = ListenDaemon()
	wantError(t, err, Exists, "the daemon is running already")

	vol, err := ListenVolume("db")
	if err != nil {
		t.Fatal(err)
	}
	_, err = ListenVolume("db")
	wantError(t, err, Exists, "the name db is taken")
	vol.Close()
	if vol, err = ListenVolume("db"); err != nil {
		t.Fatal(err)
	}
	vol.Close()
	_, err = ListenVolume("hawser")
	wantError(t, err, Usage, "is the daemon's")
	_, err = ListenVolume("../db")
	wantError(t, err, Usage, "is no name")
}

func TestStaleSocketIsReplaced(t *testing.T) {
	dir := ownDir(t)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	leaveStale(t, filepath.Join(dir, "hawser.sock"))
	ln, err := ListenDaemon()
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
}

// TestOpenDirectory is one where others could put a socket of their own.
func TestOpenDirectory(t *testing.T) {
	dir := ownDir(t)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := ListenDaemon(); err == nil || !strings.Contains(err.Error(), "correct its owner and mode") {
		t.Errorf("got %v, want it refused", err)
	}
	t.Setenv(dirVariable, filepath.Join(dir, "no", "such"))
	if _, err := ListenDaemon(); err == nil || !strings.Contains(err.Error(), "cannot make") {
		t.Errorf("got %v, want that it cannot be made", err)
	}
}

// TestDiscover finds the daemon and two in the foreground, among other things.
func TestDiscover(t *testing.T) {
	dir := ownDir(t)
	for i, name := range []string{"zebra", "ant"} {
		ln, err := ListenVolume(name)
		serve(t, ln, err, &fake{version: Version{PID: i + 2}})
	}
	ln, err := ListenDaemon()
	serve(t, ln, err, &fake{version: Version{PID: 1, Daemon: true}})
	leaveStale(t, filepath.Join(dir, "dead.sock"))
	answering(t, "nbd.sock", nbdGreeting)
	answering(t, "elsewhere", func(net.Conn) { t.Error("asked what is no socket of ours") })
	if err := os.WriteFile(filepath.Join(dir, "file.sock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	clients, err := Discover(testContext(t))
	if err != nil {
		t.Error(err)
	}
	var got []int
	for _, c := range clients {
		got = append(got, c.Version().PID)
	}
	if len(got) != 3 || got[0] != 1 || got[1] != 3 || got[2] != 2 {
		t.Errorf("got processes %v, want the daemon 1, ant 3, zebra 2", got)
	}

	answering(t, "mute.sock", func(net.Conn) {})
	clients, err = Discover(testContext(t))
	if wantError(t, err, Failed, "mute.sock: it hung up"); len(clients) != 3 {
		t.Errorf("got %d clients, want 3 all the same", len(clients))
	}
}
