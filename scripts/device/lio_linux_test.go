//go:build vm

package device

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hawser-storage/hawser/iscsi/scsi"
	"github.com/hawser-storage/hawser/scripts/relay"
)

// Where the kernel's target is set up, and where it tells of each command. The trigger counts them by operation code.
const (
	lioTree  = "/sys/kernel/config/target"
	lioTrace = "/sys/kernel/tracing/events/target/target_sequencer_start"
	counting = "hist:keys=opcode"
)

// The portals of the kernel's target: what is before them can be cut.
var lioPortals = []string{"127.0.1.1:3260", "127.0.1.2:3260"}

// lio is the target of the kernel, with a LUN in a file, which has a cache and can be unmapped. A relay is before each portal.
type lio struct {
	t      *testing.T
	file   string
	relays []*relay.Relay
}

// newLIOHost starts the kernel's target with a LUN, and a daemon. At the end nothing of either may be left.
func newLIOHost(t *testing.T, size int64) *host {
	t.Helper()
	h := &host{t: t}
	h.run("modprobe", "--all", "target_core_file", "iscsi_target_mod")
	s := &lio{t: t}
	h.storage = s
	s.count()
	s.serve(s.backstore(size))
	for i, addr := range portals {
		r, err := relay.Listen(addr, lioPortals[i])
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.Close)
		s.relays = append(s.relays, r)
	}
	h.begin()
	return h
}

// count lets the kernel count commands.
func (s *lio) count() {
	trigger := filepath.Join(lioTrace, "trigger")
	s.set(trigger, counting)
	s.t.Cleanup(func() { s.set(trigger, "") })
}

// backstore makes the LUN and returns its directory.
func (s *lio) backstore(size int64) (dir string) {
	s.t.Helper()
	s.file = "/dev/shm/lun"
	s.t.Cleanup(func() { s.remove(s.file) })
	dir = s.mkdir(lioTree, "core", "fileio_0", "lun")
	s.set(dir+"/control", fmt.Sprintf("fd_dev_name=%s,fd_dev_size=%d,fd_buffered_io=1", s.file, size))
	s.set(dir+"/enable", "1")
	s.set(dir+"/attrib/emulate_tpu", "1")
	s.set(dir+"/wwn/vpd_unit_serial", "5c8e1f0a-0000-4000-8000-000000000001") // its identity is made of this
	return dir
}

// serve serves it to everybody, at both portals.
func (s *lio) serve(backstore string) {
	s.t.Helper()
	tpg := s.mkdir(lioTree, "iscsi", iqn, "tpgt_1")
	for _, addr := range lioPortals {
		s.mkdir(tpg, "np", addr)
	}
	link := filepath.Join(s.mkdir(tpg, "lun", "lun_0"), "backstore")
	if err := os.Symlink(backstore, link); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { s.remove(link) })
	for attribute, value := range map[string]string{
		"authentication": "0", "generate_node_acls": "1", "cache_dynamic_acls": "1", "demo_mode_write_protect": "0",
	} {
		s.set(filepath.Join(tpg, "attrib", attribute), value)
	}
	s.set(tpg+"/enable", "1")
	s.t.Cleanup(func() { s.set(tpg+"/enable", "0") })
}

// mkdir makes a directory below one that is there, and what it lacks on the way. Those are removed at the end.
func (s *lio) mkdir(dir string, names ...string) string {
	s.t.Helper()
	for _, name := range names {
		dir = filepath.Join(dir, name)
		if exists(dir) {
			continue
		}
		if err := os.Mkdir(dir, 0o755); err != nil {
			s.t.Fatal(err)
		}
		made := dir
		s.t.Cleanup(func() { s.remove(made) })
	}
	return dir
}

func (s *lio) remove(path string) {
	if err := os.Remove(path); err != nil {
		s.t.Errorf("a part of the target is left: %v", err)
	}
}

func (s *lio) set(file, value string) {
	s.t.Helper()
	if err := os.WriteFile(file, []byte(value), 0); err != nil {
		s.t.Errorf("%s = %q: %v", file, value, err)
	}
}

func (s *lio) get(file string) string {
	s.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		s.t.Error(err)
	}
	return strings.TrimSpace(string(text))
}

func (s *lio) cut(portal int, how relay.Mode) { s.relays[portal].Cut(how) }

func (s *lio) carried(portal int) uint64 {
	sent, back := s.relays[portal].Carried()
	return uint64(sent + back)
}

func (s *lio) tally() (sum tally) {
	for line := range strings.Lines(s.get(lioTrace + "/hist")) {
		var op scsi.Opcode
		var n uint64
		if got, _ := fmt.Sscanf(line, "{ opcode: %d } hitcount: %d", &op, &n); got != 2 {
			continue
		}
		switch op {
		case scsi.OpSynchronizeCache10, scsi.OpSynchronizeCache16:
			sum.syncs += n
		case scsi.OpUnmap:
			sum.unmaps += n
		}
	}
	info, err := os.Stat(s.file)
	if err != nil {
		s.t.Fatal(err)
	}
	sum.allocated = info.Sys().(*syscall.Stat_t).Blocks * 512
	return sum
}

// blame: the kernel counts little of what an initiator may do wrong.
func (s *lio) blame() error {
	for _, name := range []string{"digest_errors", "format_errors"} {
		if n := s.get(filepath.Join(lioTree, "iscsi", iqn, "fabric_statistics/iscsi_sess_err", name)); n != "0" {
			return fmt.Errorf("the kernel's target counts %s: %s", name, n)
		}
	}
	return nil
}

// TestLIO has the kernel's target behind a file system. What that makes durable and gives back reaches the target. Nothing above notices that
// paths come and go, nor that daemons do. When no path comes back the host is free of it, and when one does the file system is whole.
func TestLIO(t *testing.T) {
	restarts := 2
	if os.Getenv("HAWSER_TEST_LONG") == "1" {
		restarts = 10
	}
	for _, fs := range someFileSystems() {
		t.Run(fs.name, func(t *testing.T) {
			h := newLIOHost(t, 400<<20)
			device := h.attach(0, "--fence-timeout", "5", "--no-path-retry", "120")
			dir := h.mount(fs, device)
			before := h.storage.tally()
			l := h.start(verifyJob(dir, "--size=8m"))
			l.outlivesCuts()
			l.outlivesRestarts(device, restarts)
			l.ends()
			h.synced(before)
			h.sawNoError()
			h.trims(dir)
			h.unmount(fs, device, dir)
			h.hawser("detach", device)

			device = h.attach(0, "--no-path-retry", "5", "--fence-timeout", "5")
			h.losesStorage(device, h.mountOnly(fs, device))
			device = h.attach(0)
			dir = h.mountOnly(fs, device)
			h.unmount(fs, device, dir)
			h.discards(device)
		})
	}
}
