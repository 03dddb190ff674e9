package unixsock

import (
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Guard takes connections from ln that root or this process's own user made, and hangs up on all others. The mode of the socket
// says the same; this holds also where somebody has changed it.
func Guard(ln net.Listener) net.Listener { return &guarded{ln, os.Geteuid()} }

type guarded struct {
	net.Listener
	uid int
}

func (g *guarded) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if uid, err := peerUID(c); err == nil && (uid == 0 || uid == g.uid) {
			return c, nil
		}
		_ = c.Close()
	}
}

// peerUID is the user of who connected, as it was then.
func peerUID(c net.Conn) (int, error) {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return 0, unix.ENOTSOCK
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Ucred
	if ctlErr := raw.Control(func(fd uintptr) {
		cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); ctlErr != nil {
		return 0, ctlErr
	}
	if err != nil {
		return 0, err
	}
	return int(cred.Uid), nil
}
