package kernel

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/genetlink/genltest"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// patience caps every wait of a test, so that a hang fails; nothing is measured against it.
const patience = time.Minute

func patient(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// fake is a host whose files are in a directory and whose driver is a function.
type fake struct {
	*host
	t      *testing.T
	absent bool // there is no driver

	mu     sync.Mutex // guards what follows, and is held while answer runs
	answer func(request) ([]genetlink.Message, error)
	seen   []request
}

// request is a message, decoded.
type request struct {
	command uint8
	flags   netlink.HeaderFlags
	attrs   map[uint16][]byte
	socket  int // its descriptor, -1 for none
}

func newFake(t *testing.T) *fake {
	f := &fake{t: t}
	f.answer = func(request) ([]genetlink.Message, error) { return nil, nil }
	f.host = &host{
		root:   t.TempDir(),
		dial:   func() (*genetlink.Conn, error) { return genltest.Dial(f.serve), nil },
		self:   42,
		settle: 50 * time.Millisecond,
		settleUdev: func(context.Context) error {
			t.Error("waits for udev")
			return nil
		},
		modprobe: func(context.Context) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.absent = false
			return nil
		},
	}
	return f
}

func (f *fake) serve(m genetlink.Message, nm netlink.Message) ([]genetlink.Message, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if nm.Header.Length == 0 {
		f.t.Error("somebody waits for an answer that does not come")
		return refuse(unix.EAGAIN)
	}
	family := genetlink.Family{ID: 0x23, Version: familyVersion, Name: familyName}
	if f.absent {
		return nil, genltest.Error(int(unix.ENOENT))
	}
	return genltest.ServeFamily(family, f.take)(m, nm)
}

func (f *fake) take(m genetlink.Message, nm netlink.Message) ([]genetlink.Message, error) {
	if nm.Header.Type != 0x23 || m.Header.Version != familyVersion {
		f.t.Errorf("a message to family %#x, version %d", nm.Header.Type, m.Header.Version)
	}
	q := request{command: m.Header.Command, flags: nm.Header.Flags, attrs: attributes(f.t, m.Data), socket: -1}
	if sockets, ok := q.attrs[attrSockets|netlink.Nested]; ok {
		item := attributes(f.t, sockets)[sockItem|netlink.Nested]
		q.socket = int(binary.NativeEndian.Uint32(attributes(f.t, item)[sockFD]))
	}
	f.seen = append(f.seen, q)
	answer, err := f.answer(q)
	if err == nil && q.flags&ack != 0 {
		answer = append(answer, genetlink.Message{})
	}
	return answer, err
}

func attributes(t *testing.T, b []byte) map[uint16][]byte {
	all, err := netlink.UnmarshalAttributes(b)
	if err != nil {
		t.Errorf("attributes % x: %v", b, err)
	}
	m := map[uint16][]byte{}
	for _, a := range all {
		m[a.Type] = a.Data
	}
	return m
}

// connectedAs is what the driver answers to CONNECT.
func connectedAs(index uint32) []genetlink.Message {
	return []genetlink.Message{message(cmdConnect, func(ae *netlink.AttributeEncoder) { ae.Uint32(attrIndex, index) })}
}

func refuse(errno unix.Errno) ([]genetlink.Message, error) { return nil, genltest.Error(int(errno)) }

// keep takes a socket as the kernel does: whatever becomes of the descriptor, the connection lives until the test ends.
func keep(t *testing.T, fd int) *os.File {
	t.Helper()
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(dup), "kernel's")
	t.Cleanup(func() { _ = file.Close() })
	return file
}

// files puts files below the root: a path that ends in a slash is a directory, a content that begins with "-> " a link.
func (f *fake) files(content map[string]string) {
	f.t.Helper()
	for name, text := range content {
		path := f.path(name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			f.t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(text, "-> "); ok {
			err = os.Symlink(target, path)
		} else if strings.HasSuffix(name, "/") {
			err = os.MkdirAll(path, 0o755)
		} else {
			err = os.WriteFile(path, []byte(text), 0o600)
		}
		if err != nil {
			f.t.Fatal(err)
		}
	}
}

// attached is a device that is connected, as sysfs shows it.
func (f *fake) attached(index int, backend string) *Device {
	f.t.Helper()
	dir := "sys/block/" + nameOf(index) + "/"
	f.files(map[string]string{
		dir + "pid": "77\n", dir + "backend": backend + "\n", dir + "size": "2048\n", dir + "ro": "0\n", dir + "dev": "43:32\n",
	})
	spec := specFor(backend)
	return &Device{host: f.host, index: index, spec: spec.withDefaults()}
}

func specFor(backend string) Spec {
	return Spec{Index: AnyIndex, Size: 1 << 20, BlockSize: 512, Flags: 0x16d, Backend: backend, DeadConnTimeout: 30 * time.Second}
}

func (f *fake) remove(path string) {
	f.t.Helper()
	if err := os.RemoveAll(f.path(path)); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fake) script(answer func(request) ([]genetlink.Message, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = answer
}

func (f *fake) commands() []uint8 {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []uint8
	for _, q := range f.seen {
		all = append(all, q.command)
	}
	return all
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Errorf("%v is no *Error", err)
	}
}

func wantText(t *testing.T, err error, want ...string) {
	t.Helper()
	for _, w := range want {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("got %v, which does not say %q", err, w)
		}
	}
}

// closed waits until there are no more descriptors than before: who was let go leaves somebody behind who closes them.
func (f *fake) closed(before int) {
	f.t.Helper()
	for start := time.Now(); openFiles(f.t) != before; time.Sleep(time.Millisecond) {
		if time.Since(start) > patience {
			f.t.Fatalf("%d descriptors, %d before", openFiles(f.t), before)
		}
	}
}

// openFiles is how many descriptors this process has.
func openFiles(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(entries)
}
