package iscsi

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// dialTCP connects to the portal. The socket buffers are set before connect, because the window scale is settled by the SYN.
func dialTCP(ctx context.Context, cfg *Config) (net.Conn, error) {
	d := net.Dialer{
		Timeout:   cfg.LoginTimeout,
		KeepAlive: -1, // NOP-Out asks for more than a living TCP stack
		Control: func(_, _ string, raw syscall.RawConn) error {
			var err error
			if cerr := raw.Control(func(fd uintptr) { err = prepareSocket(int(fd), cfg) }); cerr != nil {
				return cerr
			}
			return err
		},
	}
	if addr, err := netip.ParseAddr(cfg.Portal.Interface); err == nil {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, 0))
	}
	return d.DialContext(ctx, "tcp", cfg.Portal.Address())
}

func prepareSocket(fd int, cfg *Config) error {
	if cfg.SocketBuffer > 0 {
		setBuffer(fd, unix.SO_RCVBUF, unix.SO_RCVBUFFORCE, cfg.SocketBuffer)
		setBuffer(fd, unix.SO_SNDBUF, unix.SO_SNDBUFFORCE, cfg.SocketBuffer)
	}
	ifc := cfg.Portal.Interface
	if ifc == "" {
		return nil
	}
	if _, err := netip.ParseAddr(ifc); err == nil {
		return nil
	}
	if err := unix.BindToDevice(fd, ifc); err != nil {
		return fmt.Errorf("bind to interface %s: %w", ifc, err)
	}
	return nil
}

// setBuffer asks past the system's limit where that is allowed. What came of it is read back by socketBuffers.
func setBuffer(fd, opt, force, size int) {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, force, size) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, opt, size)
	}
}

// tellBuffers says what came of the buffers that were asked for.
func (s *Session) tellBuffers() {
	b := s.Buffers()
	if b.Asked == BufferAuto || b.Receive == 0 {
		return
	}
	attrs := []any{"asked", b.Asked, "receive", b.Receive, "send", b.Send}
	if min(b.Receive, b.Send) < 2*b.Asked {
		s.log.Warn("socket buffers are smaller than asked: raise net.core.rmem_max and wmem_max, or give CAP_NET_ADMIN", attrs...)
		return
	}
	s.log.Debug("socket buffers; the kernel doubles what it grants", attrs...)
}

// socketBuffers reads the sizes that the kernel granted: it doubles what is asked, to pay for its own overhead.
func socketBuffers(c net.Conn) (rcv, snd int) {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return 0, 0
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return 0, 0
	}
	_ = raw.Control(func(fd uintptr) {
		rcv, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF)
		snd, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF)
	})
	return rcv, snd
}
