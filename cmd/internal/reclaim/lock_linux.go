package reclaim

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// lockMemory locks all that the process has and will have, each page when it is touched: most of what the runtime maps never is. The
// executable is read in at once.
func lockMemory() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil {
		return os.NewSyscallError("getrlimit", err)
	}
	limit.Cur = limit.Max // everybody may
	if err := lockAll(limit); err != nil {
		return err
	}
	return lockProgram()
}

// lockAll is mlockall for a process that no limit will ever stop: with one that is large enough for now it would succeed too, and
// the runtime would die when it comes to the limit. So where there is a limit, the kernel is asked with one of nothing, which only
// CAP_IPC_LOCK gets past. To look for that capability would not do: in a user namespace it does not count.
func lockAll(limit unix.Rlimit) error {
	asked := limit
	if limit.Max != unix.RLIM_INFINITY {
		asked.Cur = 0
		defer func() { _ = unix.Setrlimit(unix.RLIMIT_MEMLOCK, &limit) }()
	}
	if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &asked); err != nil {
		return os.NewSyscallError("setrlimit", err)
	}
	if err := unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT); err != nil {
		return fmt.Errorf("%w, and RLIMIT_MEMLOCK is not unlimited", capability("CAP_IPC_LOCK", err))
	}
	return nil
}

// lockProgram reads the executable into memory and locks it there: the second lock of a mapping replaces the first.
func lockProgram() error {
	parts, err := programMappings()
	if err != nil {
		return err
	}
	for _, p := range parts {
		if _, _, errno := unix.Syscall(unix.SYS_MLOCK, p.start, p.end-p.start, 0); errno != 0 {
			return os.NewSyscallError("mlock", errno)
		}
	}
	return nil
}
