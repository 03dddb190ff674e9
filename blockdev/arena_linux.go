package blockdev

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

func mapMemory(n int) ([]byte, error) {
	return unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
}

func unmapMemory(b []byte) error { return unix.Munmap(b) }

// Lock keeps the arena's memory resident from the moment each page is first touched. It needs CAP_IPC_LOCK or a large enough
// RLIMIT_MEMLOCK; without them it returns the error and the arena works unlocked.
func (a *Arena) Lock() error {
	_, _, errno := unix.Syscall(unix.SYS_MLOCK2, uintptr(unsafe.Pointer(&a.mem[0])), uintptr(len(a.mem)), unix.MLOCK_ONFAULT)
	if errno != 0 {
		return errno
	}
	return nil
}
