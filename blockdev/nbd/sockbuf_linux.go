package nbd

import (
	"net"

	"golang.org/x/sys/unix"
)

// raiseSendBuffer makes room for replies on a unix socket, whose default of 208 KiB is two large READs at best and where only
// the sender's buffer counts. It does what it may; a smaller buffer is slower and works.
func raiseSendBuffer(c net.Conn, size int) {
	uc, ok := c.(*net.UnixConn)
	if !ok || size < 0 {
		return
	}
	raw, err := uc.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, size) != nil {
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF, size)
		}
	})
}
