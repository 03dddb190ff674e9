package vm

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hawser-storage/hawser/scripts/proc"
)

//go:embed guest
var guest embed.FS

// initramfs returns what the kernel unpacks at its start: the /init that puts the root together, what it
// needs for that, and what is run in the root. It has a few megabytes and is made for each VM, in a few
// milliseconds.
func initramfs(c Config, k kernel) ([]byte, error) {
	var archive cpio
	for _, dir := range []string{"bin", "dev", "host", "proc", "root", "sys", "vm", "vm/modules", "vm/run", "written"} {
		archive.dir(dir)
	}
	if err := addPrograms(&archive); err != nil {
		return nil, err
	}
	if err := addModules(&archive, k); err != nil {
		return nil, err
	}
	archive.file("vm/shares", 0o644, []byte(shares(c)))
	archive.file("vm/run/config", 0o644, []byte(settings(c, k)))
	archive.file("vm/run/script", 0o644, []byte(script(c)))
	archive.file("vm/run/prepare", 0o644, []byte(prepare(c)))
	return archive.bytes(), nil
}

// addPrograms adds busybox and the files in guest.
func addPrograms(archive *cpio) error {
	path, err := proc.Find("busybox")
	if err != nil {
		return fmt.Errorf("vm: %w", err)
	}
	busybox, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("vm: %w", err)
	}
	archive.file("bin/busybox", 0o755, busybox)
	archive.file("init", 0o755, guestFile("init"))
	for _, name := range []string{"run", "script-init", "vm.service", "vm.target"} {
		archive.file("vm/run/"+name, 0o644, guestFile(name))
	}
	return nil
}

func addModules(archive *cpio, k kernel) error {
	files, err := k.files(bootModules)
	if err != nil {
		return err
	}
	for i, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("vm: %w", err)
		}
		archive.file(fmt.Sprintf("vm/modules/%02d-%s", i, filepath.Base(file)), 0o644, data)
	}
	return nil
}

func guestFile(name string) []byte {
	data, err := guest.ReadFile("guest/" + name)
	if err != nil {
		panic(err) // it is part of the program
	}
	return data
}

// warning is how long before its time is over the VM says what hangs in it.
const warning = 5 * time.Second

// settings are read by guest/init and guest/run.
func settings(c Config, k kernel) string {
	pid1 := "/run/vm/busybox sh /run/vm/script-init"
	if c.Init == Systemd {
		pid1 = "/lib/systemd/systemd"
	}
	limit := max(c.Timeout-warning, c.Timeout/2)
	return fmt.Sprintf("MODULES=%s\nINIT=%s\nLIMIT=%d\n", quote(k.modules()), quote(pid1), int(limit.Seconds()))
}

// script is what runs the command, in the root.
func script(c Config) string {
	var b strings.Builder
	fmt.Fprintf(&b, "cd %s || exit\n", quote(c.Dir))
	for _, variable := range c.Env {
		name, value, _ := strings.Cut(variable, "=")
		fmt.Fprintf(&b, "export %s=%s\n", name, quote(value))
	}
	b.WriteString("exec")
	for _, word := range c.Command {
		b.WriteString(" " + quote(word))
	}
	if c.Terminal {
		b.WriteString(" </dev/hvc0 >/dev/hvc0 2>&1")
	}
	return b.String() + "\n"
}

// prepare is what is run in the root before its PID 1.
func prepare(c Config) string {
	text := "set -e\n"
	if c.Init == Systemd {
		text += string(guestFile("prepare-systemd"))
	}
	return text + c.Prepare + "\n"
}

func shares(c Config) string {
	var b strings.Builder
	for i, path := range c.Share {
		fmt.Fprintf(&b, "%s %s\n", shareTag(i), path)
	}
	return b.String()
}

// quote makes one word of a shell's out of any string.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
