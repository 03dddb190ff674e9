package packaging

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInstall(t *testing.T) {
	for prefix, want := range map[string][]string{
		"/usr": {
			"-rwxr-xr-x /usr/bin/hawser",
			"-rwxr-xr-x /usr/lib/hawser/unmount",
			"-rw-r--r-- /usr/lib/systemd/system/hawser-shutdown.service",
			"-rw-r--r-- /usr/lib/systemd/system/hawser-vg@.service",
			"-rw-r--r-- /usr/lib/systemd/system/hawser.service",
			"-rw-r--r-- /usr/lib/systemd/system/hawser@.service",
			"-rwxr-xr-x /usr/lib/udev/hawser_id",
			"-rw-r--r-- /usr/lib/udev/rules.d/60-hawser.rules",
			"-rw-r--r-- /usr/lib/udev/rules.d/68-hawser-lvm.rules",
			"-rw-r--r-- /usr/lib/udev/rules.d/70-hawser-lvm.rules",
			"-rw-r--r-- /usr/share/bash-completion/completions/hawser",
			"-rw-r--r-- /usr/share/doc/hawser/OPERATING.md",
			"-rw-r--r-- /usr/share/man/man1/hawser-status.1",
			"-rw-r--r-- /usr/share/man/man1/hawser.1",
		},
		// Units and rules are where systemd and udev find them.
		"/opt/hawser": {
			"-rw-r--r-- /etc/systemd/system/hawser-shutdown.service",
			"-rw-r--r-- /etc/systemd/system/hawser-vg@.service",
			"-rw-r--r-- /etc/systemd/system/hawser.service",
			"-rw-r--r-- /etc/systemd/system/hawser@.service",
			"-rw-r--r-- /etc/udev/rules.d/60-hawser.rules",
			"-rw-r--r-- /etc/udev/rules.d/68-hawser-lvm.rules",
			"-rw-r--r-- /etc/udev/rules.d/70-hawser-lvm.rules",
			"-rwxr-xr-x /opt/hawser/bin/hawser",
			"-rwxr-xr-x /opt/hawser/lib/hawser/unmount",
			"-rwxr-xr-x /opt/hawser/lib/udev/hawser_id",
			"-rw-r--r-- /opt/hawser/share/bash-completion/completions/hawser",
			"-rw-r--r-- /opt/hawser/share/doc/hawser/OPERATING.md",
			"-rw-r--r-- /opt/hawser/share/man/man1/hawser-status.1",
			"-rw-r--r-- /opt/hawser/share/man/man1/hawser.1",
		},
	} {
		s := stage(t, prefix)
		if diff := cmp.Diff(want, s.files(t)); diff != "" {
			t.Errorf("PREFIX=%s (-want +got):\n%s", prefix, diff)
		}
		for _, file := range s.files(t) {
			_, path, _ := strings.Cut(file, " ")
			if text := s.read(t, path); strings.Contains(text, "@PREFIX@") {
				t.Errorf("%s does not know the prefix", path)
			}
		}
		if out, err := s.run("./uninstall.sh"); err != nil {
			t.Errorf("uninstall.sh: %v\n%s", err, out)
		}
		if left := s.files(t); len(left) > 0 {
			t.Errorf("uninstall.sh leaves %q", left)
		}
	}
}

// TestInstallForAnotherMachine: a program that does not run here is installed all the same, and that something is missing is said.
func TestInstallForAnotherMachine(t *testing.T) {
	readAll(t)
	s := newTree(t, "/usr", "\x7fELF of another machine")
	if out, err := s.run("./install.sh"); err != nil || !strings.Contains(out, "does not run here") {
		t.Errorf("install.sh: %v, %q; want it to succeed, and to say what is missing", err, out)
	}
	files := strings.Join(s.files(t), "\n")
	if !strings.Contains(files, "/usr/bin/hawser") || strings.Contains(files, "/completions/") || strings.Contains(files, "/man/") {
		t.Errorf("got\n%s", files)
	}
}

// TestInstallFails: a program that runs, and has no manual, is no success.
func TestInstallFails(t *testing.T) {
	readAll(t)
	s := newTree(t, "/usr", strings.Replace(speaking, "'man '*)", "nothing)", 1))
	if out, err := s.run("./install.sh"); err == nil {
		t.Errorf("install.sh succeeds without the manual:\n%s", out)
	}
}

// TestUninstallLeavesOthers: a page of another package is none of ours.
func TestUninstallLeavesOthers(t *testing.T) {
	s := stage(t, "/usr")
	others := filepath.Join(s.root, "usr/share/man/man1/hawserlike.1")
	if err := os.WriteFile(others, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := s.run("./uninstall.sh"); err != nil {
		t.Errorf("uninstall.sh: %v\n%s", err, out)
	}
	if diff := cmp.Diff([]string{"-rw-r--r-- /usr/share/man/man1/hawserlike.1"}, s.files(t)); diff != "" {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
}

// TestInstallNothing: without a program, or a place, there is an error and no file.
func TestInstallNothing(t *testing.T) {
	for _, env := range []string{"BINARY=/nonexistent/hawser", "PREFIX=usr"} {
		s := &tree{root: t.TempDir()}
		s.env = append(os.Environ(), "DESTDIR="+s.root, env)
		if out, err := s.run("./install.sh"); err == nil {
			t.Errorf("install.sh with %s succeeds:\n%s", env, out)
		}
		if got := s.files(t); len(got) > 0 {
			t.Errorf("install.sh with %s leaves %q", env, got)
		}
	}
}

// TestUninstallRefuses: what serves a device stays.
func TestUninstallRefuses(t *testing.T) {
	s := stage(t, "/usr")
	s.write(t, "sys/block/nbd0/backend", "another's\n")
	s.write(t, "sys/block/nbd12/backend", "hawser:vol1:naa.6001405abc\n")
	s.wantRefused(t, " /dev/nbd12\n")
}

// TestUninstallRefusesServing: nor does a program go that runs, with volumes or without, and not by systemd.
func TestUninstallRefusesServing(t *testing.T) {
	s := stage(t, "/usr")
	s.write(t, "proc/net/unix", `Num       RefCount Protocol Flags    Type St Inode Path
00000000cd449deb: 00000003 00000000 00000000 0001 03  1056
00000000cd449dec: 00000003 00000000 00000000 0001 03  1057 /run/hawser/connected.sock
00000000cd449ded: 00000002 00000000 00010000 0001 01  1058 /run/hawser/hawser.sock
00000000cd449dee: 00000002 00000000 00010000 0001 01  1059 /run/systemd/private
00000000cd449def: 00000002 00000000 00010000 0001 01  1060 /run/user/1000/hawser/scratch.sock
`)
	s.wantRefused(t, "'hawser status' tells their numbers: /run/hawser/hawser.sock\n")
}

// write makes a file of the kernel's.
func (s *tree) write(t *testing.T, path, text string) {
	t.Helper()
	path = filepath.Join(s.root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// wantRefused lets uninstall.sh say why it does nothing.
func (s *tree) wantRefused(t *testing.T, why string) {
	t.Helper()
	before := s.files(t)
	if out, err := s.run("./uninstall.sh"); err == nil || !strings.HasSuffix(out, why) {
		t.Errorf("uninstall.sh: %v, %q; want it to refuse because of %q alone", err, out, why)
	}
	if diff := cmp.Diff(before, s.files(t)); diff != "" {
		t.Errorf("it has changed something (-before +after):\n%s", diff)
	}
}
