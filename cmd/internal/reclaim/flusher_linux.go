package reclaim

import (
	"errors"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// again is set in the environment of a process that was executed anew.
const again = "HAWSER_IO_FLUSHER"

var errLost = errors.New("the flag was lost when the program was executed anew")

// becomeFlusher returns when every thread has the flag, or with why not.
func becomeFlusher() error {
	executed := os.Getenv(again) != ""
	_ = os.Unsetenv(again) // programs that we run are not us
	switch without, _, err := lacking(); {
	case err != nil:
		return err
	case without == 0:
		return nil
	case executed:
		return errLost
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_IO_FLUSHER, 1, 0, 0, 0); errors.Is(err, unix.EINVAL) {
		return errors.New("it needs Linux 5.6")
	} else if err != nil {
		return capability("CAP_SYS_RESOURCE", err)
	}
	return os.NewSyscallError("execve", execute())
}

// execute executes the program anew. It returns only if that fails.
func execute() error {
	return unix.Exec(program(), os.Args, append(os.Environ(), again+"=1"))
}

// program is the path of this very program. /proc/self/exe always is, but would name the process "exe"; so that is for when the
// file has been replaced or is out of sight.
func program() string {
	const self = "/proc/self/exe"
	path, err := os.Executable()
	if err != nil {
		return self
	}
	mine, err := os.Stat(self)
	if err != nil {
		return path
	}
	if there, err := os.Stat(path); err != nil || !os.SameFile(there, mine) {
		return self
	}
	return path
}
