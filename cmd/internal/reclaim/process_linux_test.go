package reclaim

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/hawser-storage/hawser/cmd/internal/api"
)

// A process is what a child of the test tells of itself, once it is prepared and busy.
type process struct {
	Memory   api.Memory
	PID      int
	Args     []string
	Name     string // as ps shows it
	Again    bool   // in the environment
	Threads  int
	Locked   int // KiB
	Resident int // KiB
	Absent   int // bytes of the executable that are not in memory
}

func TestMain(m *testing.M) {
	if os.Getenv("RECLAIM_CHILD") == "" {
		os.Exit(m.Run())
	}
	Prepare()
	if err := json.NewEncoder(os.Stdout).Encode(work()); err != nil {
		panic(err)
	}
}

// busy is how many goroutines have a thread of their own in a child.
const busy = 100

// work is what makes threads and memory, and more of both than there was when the process was prepared.
func work() process {
	var started, ended sync.WaitGroup
	over := make(chan struct{})
	for range busy {
		started.Add(1)
		ended.Go(func() {
			runtime.LockOSThread()
			started.Done()
			<-over
		})
	}
	started.Wait()
	held := make([]byte, 64<<20)
	for i := 0; i < len(held); i += os.Getpagesize() {
		held[i] = 1
	}
	p := process{
		Memory: Verify(), PID: os.Getpid(), Args: os.Args[1:], Absent: absent(),
		Threads: status("Threads"), Locked: status("VmLck"), Resident: status("VmRSS"),
	}
	_, p.Again = os.LookupEnv(again)
	name, _ := os.ReadFile("/proc/self/comm")
	p.Name = strings.TrimSpace(string(name))
	runtime.KeepAlive(held)
	close(over)
	ended.Wait()
	return p
}

// status is a number of /proc/self/status.
func status(name string) int {
	text, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			n, _ := strconv.Atoi(strings.Fields(value)[0])
			return n
		}
	}
	return -1
}

// absent asks mincore(2) about the executable.
func absent() (n int) {
	parts, _ := programMappings()
	for _, p := range parts {
		pages := make([]byte, (int(p.end-p.start)+os.Getpagesize()-1)/os.Getpagesize())
		if _, _, errno := unix.Syscall(unix.SYS_MINCORE, p.start, p.end-p.start, address(pages)); errno != 0 {
			return -1
		}
		n += bytes.Count(pages, []byte{0}) * os.Getpagesize()
	}
	return n
}

// run runs the test's program as a child that is prepared.
func run(t *testing.T, attr *syscall.SysProcAttr, env ...string) process {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-with", "an argument")
	cmd.Env = append(append(os.Environ(), "RECLAIM_CHILD=1"), env...)
	cmd.SysProcAttr = attr
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the process did not go on: %v\n%s", err, &stderr)
	}
	var p process
	if err := json.Unmarshal(out, &p); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	t.Logf("%+v", p)
	if got := cmd.Process.Pid; attr == nil && p.PID != got {
		t.Errorf("the process that answered is %d; want %d, which was started", p.PID, got)
	}
	if len(p.Args) != 2 || p.Args[1] != "an argument" {
		t.Errorf("arguments %q", p.Args)
	}
	if want := filepath.Base(os.Args[0]); !strings.HasPrefix(want, p.Name) {
		t.Errorf("it is called %q; want %q", p.Name, want)
	}
	if p.Threads < busy {
		t.Errorf("%d threads; want %d and more", p.Threads, busy)
	}
	if p.Again {
		t.Error("the guard is left in the environment")
	}
	return p
}

// TestWithNothing is in a user namespace, where no capability counts: the process says what it has not, and works.
func TestWithNothing(t *testing.T) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil {
		t.Fatal(err)
	}
	attr := &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	if err := namespaces(attr); err != nil {
		t.Skipf("no user namespace is to be had: %v", err)
	}
	m := run(t, attr).Memory
	if want := "CAP_SYS_RESOURCE is missing"; m.IOFlusher || m.IOFlusherReason != want {
		t.Errorf("I/O flusher %v, %q; want %q", m.IOFlusher, m.IOFlusherReason, want)
	}
	if want := "CAP_IPC_LOCK is missing, and RLIMIT_MEMLOCK is not unlimited"; limit.Max != unix.RLIM_INFINITY && (m.Locked || m.LockedReason != want) {
		t.Errorf("locked %v, %q; want %q", m.Locked, m.LockedReason, want)
	}
	if m.OOMScore != never && m.OOMScoreReason != "CAP_SYS_RESOURCE is missing" {
		t.Errorf("OOM score %d, %q", m.OOMScore, m.OOMScoreReason)
	}
}

// namespaces tries whether a process can be started like this.
func namespaces(attr *syscall.SysProcAttr) error {
	cmd := exec.Command("/proc/self/exe", "-test.run", "^$")
	cmd.SysProcAttr = attr
	return cmd.Run()
}

// TestWithWhatThereIs gets what this process's capabilities are for, and a reason for the rest.
func TestWithWhatThereIs(t *testing.T) {
	p := run(t, nil)
	m := p.Memory
	if got, want := m.IOFlusher, capable(unix.CAP_SYS_RESOURCE); got != want {
		t.Errorf("I/O flusher %v, %q; want %v", got, m.IOFlusherReason, want)
	}
	if m.IOFlusher != (m.IOFlusherReason == "") || m.Locked != (m.LockedReason == "") || (m.OOMScore == never) != (m.OOMScoreReason == "") {
		t.Errorf("a reason is missing, or one too many is given: %+v", m)
	}
	if capable(unix.CAP_IPC_LOCK) && !m.Locked {
		t.Errorf("memory is not locked: %s", m.LockedReason)
	}
	if m.Locked && p.Locked < p.Resident {
		t.Errorf("%d KiB are locked of %d that are resident", p.Locked, p.Resident)
	}
	if m.Locked && p.Absent != 0 {
		t.Errorf("%d bytes of the executable are not in memory", p.Absent)
	}
}

// capable says whether this process has a capability that counts.
func capable(number uint) bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return false
	}
	users, _ := os.ReadFile("/proc/self/uid_map")
	return data[number/32].Effective&(1<<(number%32)) != 0 && strings.Contains(string(users), "4294967295")
}

// TestOnceOnly: what is executed anew and has no flag does not do it again.
func TestOnceOnly(t *testing.T) {
	m := run(t, nil, again+"=1").Memory
	if m.IOFlusher || m.IOFlusherReason != errLost.Error() {
		t.Errorf("I/O flusher %v, %q; want %q", m.IOFlusher, m.IOFlusherReason, errLost)
	}
}

func address(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }
