package vm

import (
	"fmt"
	"strconv"
	"strings"
)

// The ports to the VM that the command's output and status come through, in the order of their descriptors.
var ports = []string{"status", "stdout", "stderr"}

// firstPort is the descriptor of the first: exec.Cmd.ExtraFiles begin there.
const firstPort = 3

// arguments returns QEMU's arguments.
func arguments(c Config, k kernel, initramfs, console string) []string {
	args := []string{
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-accel", "tcg,thread=multi", "-cpu", "max,la57=off",
		"-smp", strconv.Itoa(c.CPUs), "-m", strconv.Itoa(c.Memory),
		"-kernel", k.image(), "-initrd", initramfs, "-append", commandLine(c),
		"-chardev", "file,id=console,path=" + escape(console), "-serial", "chardev:console",
		"-device", "virtio-serial-pci",
	}
	for i, name := range ports {
		args = append(args,
			"-add-fd", fmt.Sprintf("fd=%d,set=%d", firstPort+i, i),
			"-chardev", fmt.Sprintf("file,id=%s,append=on,path=/dev/fdset/%d", name, i),
			"-device", fmt.Sprintf("virtserialport,chardev=%s,name=%s", name, name))
	}
	args = append(args, "-virtfs", virtfs("root", "/")+",readonly=on")
	for i, path := range c.Share {
		args = append(args, "-virtfs", virtfs(shareTag(i), path))
	}
	for i, path := range c.Disks {
		args = append(args,
			"-drive", fmt.Sprintf("if=none,id=disk%d,format=raw,cache=unsafe,discard=unmap,file=%s", i, escape(path)),
			"-device", fmt.Sprintf("virtio-blk-pci,drive=disk%d,serial=disk%d", i, i))
	}
	if c.Terminal {
		args = append(args, "-chardev", "stdio,id=terminal,signal=off", "-device", "virtconsole,chardev=terminal")
	}
	return args
}

// commandLine is the kernel's. What is wrong with the kernel ends the VM: a panic, or an oops, which would
// leave half a kernel behind. The rest is for speed.
func commandLine(c Config) string {
	args := []string{
		"console=ttyS0", "panic=-1", "oops=panic",
		"quiet", "mitigations=off", "audit=0", "lsm=", "tsc=reliable",
	}
	if c.Init == Systemd {
		args = append(args, "systemd.unit=vm.target", "systemd.show_status=true", "TERM=dumb")
	}
	return strings.Join(append(args, c.KernelArgs...), " ")
}

func virtfs(tag, path string) string {
	return fmt.Sprintf("local,path=%s,mount_tag=%s,security_model=none,multidevs=remap", escape(path), tag)
}

func shareTag(i int) string { return fmt.Sprintf("share%d", i) }

// escape writes a value of one of QEMU's lists of options.
func escape(s string) string { return strings.ReplaceAll(s, ",", ",,") }
