package nbd

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/hawser-storage/hawser/blockdev/memdev"
)

// tool runs somebody else's NBD client. That it is missing is a failure: an untried client is not a tried one.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("runs other programs; not in the short form")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = t.TempDir() // some leave files behind
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s(apt: libnbd-bin qemu-utils fio)", name, args, err, out)
	}
	return string(out)
}

func (b *bench) uri() string { return "nbd+unix:///disk?socket=" + b.ln.Addr().String() }

func TestInteropNbdinfo(t *testing.T) {
	b := newBench(t, ram(memdev.Config{Size: 64 << 20}), Config{})
	t.Log(tool(t, "nbdinfo", b.uri()))
	t.Log(tool(t, "nbdinfo", "--list", "nbd+unix:///?socket="+b.ln.Addr().String()))
}

func TestInteropQemuIO(t *testing.T) {
	b := newBench(t, ram(memdev.Config{Size: 64 << 20}), Config{})
	t.Log(tool(t, "qemu-io", "-f", "raw", "-t", "none", b.uri(),
		"-c", "write -P 0x5a 4096 1M", "-c", "flush", "-c", "read -P 0x5a 4096 1M", "-c", "write -f -P 0x33 8M 64k",
		"-c", "write -z 4096 4096", "-c", "read -P 0 4096 4096", "-c", "discard 8M 64k", "-c", "read -P 0x5a 8192 4096",
		"-c", "write -P 0x77 16M 30M", "-c", "read -P 0x77 16M 30M"))
}

func TestInteropTCP(t *testing.T) {
	b := newBench(t, ram(memdev.Config{Size: 64 << 20, BlockSize: 4096}), Config{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	served := make(chan error, 1)
	go func() { served <- b.server.Serve(ln) }()
	uri := "nbd://" + ln.Addr().String() + "/disk"
	t.Log(tool(t, "nbdinfo", uri))
	t.Log(tool(t, "qemu-io", "-f", "raw", "-t", "none", uri, "-c", "write -P 0x5a 0 32M", "-c", "read -P 0x5a 0 32M"))
	must(t, ln.Close())
	if err := <-served; err == nil {
		t.Error("Serve returned nil when its listener was closed")
	}
}

func TestInteropNbdcopy(t *testing.T) {
	b := newBench(t, ram(memdev.Config{Size: 64 << 20}), Config{})
	src := filepath.Join(t.TempDir(), "src")
	dst := filepath.Join(t.TempDir(), "dst")
	want := noise(1, 64<<20)
	if err := os.WriteFile(src, want, 0o600); err != nil {
		t.Fatal(err)
	}
	tool(t, "nbdcopy", "--flush", src, b.uri())
	tool(t, "nbdcopy", b.uri(), dst)
	tool(t, "cmp", src, dst)
}

func TestInteropFio(t *testing.T) {
	b := newBench(t, ram(memdev.Config{Size: 64 << 20}), Config{})
	t.Log(tool(t, "fio", "--name=v", "--ioengine=nbd", "--thread", "--uri="+b.uri(), "--rw=randwrite", "--bsrange=4k-256k", "--size=64m",
		"--iodepth=32", "--verify=crc32c", "--numjobs=1", "--fsync=16"))
}
