package unixsock

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// connectAs connects as another user, from a thread that ends with it.
func connectAs(t *testing.T, uid int, address string) net.Conn {
	t.Helper()
	type result struct {
		conn net.Conn
		err  error
	}
	got := make(chan result)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread is not used for anything else
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), uintptr(uid), ^uintptr(0)); errno != 0 {
			got <- result{nil, errno}
			return
		}
		conn, err := net.Dial("unix", address)
		got <- result{conn, err}
	}()
	r := <-got
	if r.err != nil {
		t.Fatal(r.err)
	}
	t.Cleanup(func() { r.conn.Close() })
	return r.conn
}

// TestGuard hangs up on other users, and serves its own and root.
func TestGuard(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	const own, other = 12345, 65534
	address := "@hawser-guard-" + strconv.Itoa(os.Getpid()) // which has no mode
	ln, err := net.Listen("unix", address)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	g := &guarded{ln, own}
	accepted := make(chan int)
	go func() {
		defer close(accepted)
		for {
			c, err := g.Accept()
			if err != nil {
				return
			}
			uid, _ := peerUID(c)
			c.Close()
			accepted <- uid
		}
	}()
	refused := connectAs(t, other, address)
	for _, uid := range []int{own, 0} {
		connectAs(t, uid, address)
		if got := <-accepted; got != uid {
			t.Errorf("accepted user %d, want %d", got, uid)
		}
	}
	if n, err := refused.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("another user: got %d bytes, %v, want to be hung up on", n, err)
	}
	ln.Close()
	for uid := range accepted {
		t.Errorf("accepted user %d as well", uid)
	}
}
