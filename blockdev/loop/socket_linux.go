package loop

import (
	"io"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	maxIov = 1024 // IOV_MAX

	// largeIO is the number of bytes from which a call goes through the runtime's scheduler. Below it the call is so short that
	// it may hold up a stop-the-world; above it the copy is not.
	largeIO = 128 << 10
)

// fdSocket is a kernel socket.
type fdSocket struct {
	fd      int
	watched bool
	iov     [maxIov]unix.Iovec
}

func newFDSocket(fd int) *fdSocket { return &fdSocket{fd: fd} }

func (s *fdSocket) Readv(bufs [][]byte) (int, error) {
	n, err := s.transfer(unix.SYS_READV, bufs)
	if n == 0 && err == nil {
		return 0, io.EOF
	}
	return n, err
}

func (s *fdSocket) Writev(bufs [][]byte) (int, error) { return s.transfer(unix.SYS_WRITEV, bufs) }

func (s *fdSocket) transfer(trap uintptr, bufs [][]byte) (int, error) {
	count, bytes := s.gather(bufs)
	if count == 0 {
		return 0, nil
	}
	call := syscall.RawSyscall
	if bytes >= largeIO {
		call = syscall.Syscall
	}
	for {
		n, _, errno := call(trap, uintptr(s.fd), uintptr(unsafe.Pointer(&s.iov[0])), uintptr(count))
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			return 0, ErrAgain
		}
		return 0, errno
	}
}

// gather fills in the vector. The buffers stay reachable through bufs, or lie outside the heap.
func (s *fdSocket) gather(bufs [][]byte) (count, bytes int) {
	for _, b := range bufs {
		if len(b) == 0 {
			continue
		}
		if count == maxIov {
			break
		}
		s.iov[count].Base = &b[0]
		s.iov[count].SetLen(len(b))
		bytes += len(b)
		count++
	}
	return count, bytes
}

func (s *fdSocket) Close() error { return unix.Close(s.fd) }

// Abort closes with a zero linger time: a reset, and nothing of what is still in the send queue will ever be sent.
func (s *fdSocket) Abort() error {
	_ = unix.SetsockoptLinger(s.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}) // a unix socket may refuse: then it is Close
	return unix.Close(s.fd)
}
