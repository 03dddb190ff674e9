package unixsock

import (
	"os"
	"syscall"
	"time"
)

// lockWithin is how long another process may take to listen in the same directory. Anybody who may read the directory can lock it.
const lockWithin = 2 * time.Second

// LockDir locks a directory among processes, until unlock or the process's end: [Listen] keeps two of them from both replacing one stale socket
// so. If another one has it for longer than within, the error is syscall.EWOULDBLOCK.
func LockDir(dir string, within time.Duration) (unlock func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	end := time.Now().Add(within)
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return func() { _ = f.Close() }, nil // which unlocks
		case err == syscall.EINTR:
			continue
		case err != syscall.EWOULDBLOCK || !time.Now().Before(end):
			_ = f.Close() // the lock's error says more
			return nil, err
		}
		time.Sleep(within / 100)
	}
}
