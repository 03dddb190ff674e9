package kernel

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// socketPair makes a connection whose far end the kernel can take. sendBuffer is for both ends, in bytes.
//
// The far end is a bare descriptor, which the caller closes. In an *os.File it would be closed by the garbage collector as soon as
// only its number is used, and Fd would clear O_NONBLOCK.
func socketPair(sendBuffer int) (ours net.Conn, kernels int, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, -1, fmt.Errorf("socketpair: %w", err)
	}
	for _, fd := range fds {
		raiseSendBuffer(fd, sendBuffer)
	}
	f := os.NewFile(uintptr(fds[0]), "nbd")
	defer func() { _ = f.Close() }() // FileConn has made its own duplicate
	if ours, err = net.FileConn(f); err != nil {
		closeFD(fds[1])
		return nil, -1, fmt.Errorf("socketpair: %w", err)
	}
	return ours, fds[1], nil
}

// raiseSendBuffer does what it may; a smaller buffer is slower and works.
func raiseSendBuffer(fd, size int) {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, size) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, size)
	}
}

func closeFD(fd int) { _ = unix.Close(fd) }

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
