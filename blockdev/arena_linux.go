package blockdev

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

func mapMemory(n int) ([]byte, error) {
	return unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
}

func unmapMemory(b []byte) error { return unix.Munmap(b) }

// Lock keeps the arena's memory, and what it grows by, resident from the moment each page is first touched. It needs CAP_IPC_LOCK or a
// large enough RLIMIT_MEMLOCK; without them it returns the error and the arena works unlocked.
func (a *Arena) Lock() error {
	a.locked = true
	for _, m := range a.mem {
		if err := lockMemory(m); err != nil {
			return err
		}
	}
	return nil
}

func lockMemory(b []byte) error {
	_, _, errno := unix.Syscall(unix.SYS_MLOCK2, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MLOCK_ONFAULT)
	if errno != 0 {
		return errno
	}
	return nil
}
