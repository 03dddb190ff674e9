package api

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"github.com/hawser-storage/hawser/cmd/internal/unixsock"
)

const (
	systemDir  = "/run/hawser"
	daemonName = "hawser"
	suffix     = ".sock"

	// dirVariable in the environment is another directory for the sockets, for tests.
	dirVariable = "HAWSER_API"
)

// Dir is where the sockets of this user lie: /run/hawser for root, $XDG_RUNTIME_DIR/hawser for others.
func Dir() (string, error) {
	if dir := os.Getenv(dirVariable); dir != "" {
		return dir, nil
	}
	return userDir(os.Geteuid(), os.Getenv("XDG_RUNTIME_DIR"))
}

func userDir(uid int, runtimeDir string) (string, error) {
	if uid == 0 {
		return systemDir, nil
	}
	if filepath.IsAbs(runtimeDir) {
		return filepath.Join(runtimeDir, "hawser"), nil
	}
	return "", errors.New("XDG_RUNTIME_DIR is not set, so there is no place for sockets: log in by systemd-logind, set it, or work as root")
}

func socketOf(name string) (string, error) {
	dir, err := Dir()
	return filepath.Join(dir, name+suffix), err
}

// ListenDaemon takes the daemon's socket.
func ListenDaemon() (net.Listener, error) {
	ln, err := listen(daemonName)
	if errors.Is(err, unixsock.ErrInUse) {
		return nil, errorf(Exists, "the daemon is running already: 'hawser status' shows it")
	}
	return ln, err
}

// ListenVolume takes the socket of a foreground process, which is named like its volume.
func ListenVolume(name string) (net.Listener, error) {
	if err := ValidName(name); err != nil {
		return nil, err
	}
	ln, err := listen(name)
	if errors.Is(err, unixsock.ErrInUse) {
		return nil, errorf(Exists, "the name %s is taken by a process in the foreground: choose another one with --name, or 'hawser detach %s' first", name, name)
	}
	return ln, err
}

func listen(name string) (net.Listener, error) {
	path, err := socketOf(name)
	if err != nil {
		return nil, err
	}
	if err := makeDir(filepath.Dir(path)); err != nil {
		return nil, err
	}
	return unixsock.Listen(path)
}

// makeDir makes the directory of the sockets, or checks the one that is there: who may write to it could put himself in the place of a
// process that has ended.
func makeDir(dir string) error {
	mode := os.FileMode(0o700)
	if dir == systemDir {
		mode = 0o755 // so that others can be told whose the daemon is
	}
	if err := os.Mkdir(dir, mode); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("cannot make %s for the sockets: %w", dir, err)
	}
	fi, err := os.Stat(dir)
	if err != nil {
		return err
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !fi.IsDir() || ok && int(st.Uid) != 0 && int(st.Uid) != os.Geteuid() || fi.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s must be a directory of this user, and nobody else's to write: correct its owner and mode (now %v)", dir, fi.Mode())
	}
	return nil
}
