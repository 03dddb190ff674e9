package loop

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const wakeSlot = -1

// epoll is the kernel's poller, level-triggered: what a handler leaves unread is reported again.
type epoll struct {
	fd, wakefd int
	slots      []*Watch // by the number that the kernel keeps for us
	vacant     []int
	events     []unix.EpollEvent // room for every socket: what has come is heard before the timers of the same turn run
	closing    sync.RWMutex      // Wake against Close alone
	closed     bool
}

func newEpoll() (*epoll, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	wakefd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	p := &epoll{fd: fd, wakefd: wakefd, events: make([]unix.EpollEvent, 1)}
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: wakeSlot}
	if err := unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, wakefd, &ev); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// Adopt duplicates the descriptor through SyscallConn, which keeps O_NONBLOCK (File().Fd() would clear it for every
// duplicate), and closes the original: a duplicate that survived would keep Close from sending anything.
func (p *epoll) Adopt(c net.Conn) (Socket, error) {
	sc, ok := c.(interface {
		SyscallConn() (syscall.RawConn, error)
	})
	if !ok {
		return nil, fmt.Errorf("a %T is no socket", c)
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil, err
	}
	fd, dupErr := -1, error(nil)
	err = raw.Control(func(orig uintptr) { fd, dupErr = unix.FcntlInt(orig, unix.F_DUPFD_CLOEXEC, 0) })
	if err := errors.Join(err, dupErr); err != nil {
		return nil, err
	}
	if err := c.Close(); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return newFDSocket(fd), nil
}

func (p *epoll) Watch(w *Watch, want Events) error {
	s, ok := w.Socket.(*fdSocket)
	if !ok {
		return fmt.Errorf("a %T has no descriptor", w.Socket)
	}
	op := unix.EPOLL_CTL_MOD
	if !s.watched {
		op = unix.EPOLL_CTL_ADD
		w.Slot = p.take(w)
	}
	ev := unix.EpollEvent{Fd: int32(w.Slot)}
	if want&Readable != 0 {
		ev.Events |= unix.EPOLLIN
	}
	if want&Writable != 0 {
		ev.Events |= unix.EPOLLOUT
	}
	if want == 0 {
		ev.Events = unix.EPOLLET // a hang-up is reported whether it is asked for or not: then once, and not in every turn
	}
	if err := unix.EpollCtl(p.fd, op, s.fd, &ev); err != nil {
		if !s.watched {
			p.release(w)
		}
		return err
	}
	s.watched = true
	return nil
}

func (p *epoll) Forget(w *Watch) {
	s := w.Socket.(*fdSocket)
	if !s.watched {
		return
	}
	s.watched = false
	p.release(w)
	// It cannot fail for a descriptor that is in the set, and close would remove it anyway.
	_ = unix.EpollCtl(p.fd, unix.EPOLL_CTL_DEL, s.fd, nil)
}

func (p *epoll) take(w *Watch) int {
	if n := len(p.vacant); n > 0 {
		slot := p.vacant[n-1]
		p.vacant = p.vacant[:n-1]
		p.slots[slot] = w
		return slot
	}
	p.slots = append(p.slots, w)
	p.events = append(p.events, unix.EpollEvent{})
	return len(p.slots) - 1
}

func (p *epoll) release(w *Watch) {
	p.slots[w.Slot] = nil
	p.vacant = append(p.vacant, w.Slot)
}

// Wait blocks through the runtime, so that the garbage collector can stop the world meanwhile.
func (p *epoll) Wait(ready []*Watch, timeout time.Duration) ([]*Watch, error) {
	ms := -1
	if timeout >= 0 {
		ms = int((timeout + time.Millisecond - 1) / time.Millisecond)
	}
	n, err := unix.EpollWait(p.fd, p.events, ms)
	if err != nil && err != unix.EINTR {
		return ready, err
	}
	for i := range max(n, 0) {
		ev := &p.events[i]
		if ev.Fd == wakeSlot {
			p.drainWake()
			continue
		}
		w := p.slots[ev.Fd]
		w.Ready = eventsOf(ev.Events)
		ready = append(ready, w)
	}
	return ready, nil
}

func eventsOf(e uint32) (ev Events) {
	if e&(unix.EPOLLIN|unix.EPOLLERR|unix.EPOLLHUP|unix.EPOLLRDHUP) != 0 {
		ev |= Readable
	}
	if e&(unix.EPOLLOUT|unix.EPOLLERR|unix.EPOLLHUP) != 0 {
		ev |= Writable
	}
	return ev
}

func (p *epoll) drainWake() {
	var b [8]byte
	_, _ = unix.Read(p.wakefd, b[:]) // EAGAIN only if somebody else read it
}

func (p *epoll) Wake() {
	p.closing.RLock()
	defer p.closing.RUnlock()
	if !p.closed {
		one := [8]byte{1}                   // a count of at least one in either byte order
		_, _ = unix.Write(p.wakefd, one[:]) // EAGAIN: it is awake already
	}
}

func (p *epoll) Close() error {
	p.closing.Lock()
	defer p.closing.Unlock()
	p.closed = true
	return errors.Join(unix.Close(p.wakefd), unix.Close(p.fd))
}
