package iscsi

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// isidLock keeps two processes of this host from one session name: each login of the one would end the session of the other.
// It is an abstract unix socket, which the kernel gives up with the process, and which is seen within one network namespace.
type isidLock struct {
	ln net.Listener
}

// SessionInUseError says that another process holds the session.
type SessionInUseError struct {
	ISID ISID
	PID  int // 0 if it cannot be told
}

func (e *SessionInUseError) Error() string {
	holder := "another process"
	if e.PID != 0 {
		holder = fmt.Sprintf("process %d", e.PID)
	}
	return fmt.Sprintf("%s of this host has the session %s already: detach the volume there first", holder, e.ISID)
}

// lockISID takes the lock; outside the real world there is nobody to share with.
func lockISID(initiator string, id ISID, real bool) (*isidLock, error) {
	if !real {
		return &isidLock{}, nil
	}
	name := "@hawser/session/" + NewISID(initiator, "", Portal{}, id.String(), 0).String() + id.String()
	ln, err := net.Listen("unix", name)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, &SessionInUseError{ISID: id, PID: holderOf(name)}
	}
	if err != nil {
		return nil, fmt.Errorf("session lock: %w", err)
	}
	return &isidLock{ln: ln}, nil
}

func holderOf(name string) int {
	c, err := net.Dial("unix", name)
	if err != nil {
		return 0
	}
	defer c.Close()
	raw, err := c.(*net.UnixConn).SyscallConn()
	if err != nil {
		return 0
	}
	pid := 0
	_ = raw.Control(func(fd uintptr) {
		if cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil && int(cred.Pid) != os.Getpid() {
			pid = int(cred.Pid)
		}
	})
	return pid
}

func (l *isidLock) release() {
	if l != nil && l.ln != nil {
		_ = l.ln.Close()
	}
}
