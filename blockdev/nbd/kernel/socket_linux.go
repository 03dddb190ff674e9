package kernel

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// socketPair makes a connection whose far end the kernel can take. sendBuffer is for both ends, in bytes.
//
// The caller closes the far end, and not before the kernel has it: when only its number is used any more, the garbage collector would.
func socketPair(sendBuffer int) (ours net.Conn, kernels *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	for _, fd := range fds {
		raiseSendBuffer(fd, sendBuffer)
	}
	f := os.NewFile(uintptr(fds[0]), "nbd")
	defer func() { _ = f.Close() }() // FileConn has made its own duplicate
	kernels = os.NewFile(uintptr(fds[1]), "nbd")
	if ours, err = net.FileConn(f); err != nil {
		_ = kernels.Close()
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	return ours, kernels, nil
}

// raiseSendBuffer does what it may; a smaller buffer is slower and works.
func raiseSendBuffer(fd, size int) {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, size) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, size)
	}
}

// hungUp says that nobody has the far end of a socket pair any more. It reads nothing.
func hungUp(c net.Conn) bool {
	raw, err := c.(*net.UnixConn).SyscallConn()
	if err != nil {
		return true
	}
	up := false
	err = raw.Control(func(fd uintptr) {
		p := []unix.PollFd{{Fd: int32(fd)}}
		n, err := unix.Poll(p, 0)
		for err == unix.EINTR {
			n, err = unix.Poll(p, 0)
		}
		up = err == nil && (n == 0 || p[0].Revents&unix.POLLHUP == 0)
	})
	return err != nil || !up
}
