// Package vm boots a virtual machine, runs a command in it, and brings back its output and its exit status.
// It gives tests what the machine they run on has not: /dev/nbdX, LIO, device mapper, a root that may be
// broken, and a kernel that may be crashed.
//
//	result, err := vm.Run(t.Context(), vm.Config{
//		Command: vm.Shell(`modprobe nbd; ls /dev/nbd0`),
//		Stdout:  t.Output(),
//		Stderr:  t.Output(),
//	})
//
// The machine is QEMU's, which emulates the processor: it works where there is no KVM, and everything takes
// many times as long, so what a VM measures of speed means nothing. A command begins 8 s after its VM, or twice
// that on a machine that does other things too; on such a one it was 40 to 75 s with systemd. The kernel is
// Debian's 6.12, from the cache that `make setup-vm` fills.
//
// # What the command finds
//
// It is root, alone, and its root is the host's: every program and every file has the path that it has
// outside. What it writes is kept in memory and forgotten, except in the directories of [Config.Share]. /proc,
// /sys, /dev, /run and /etc/fstab are the VM's own, loopback is the only network, and `modprobe` finds the modules of
// the VM's kernel. With [Systemd] the root is booted as a host is, by systemd, with udev; nothing that is
// enabled on the host is started.
//
// # How it ends
//
// The VM ends with its command. A command that fails is an [ExitError]. A VM that lasts longer than its time
// limit is killed, and one whose kernel panics or says that it is broken (an oops) ends at once: both are a
// [VMError], which shows the end of the console. All that the console said is in .cache/vm/logs, for the last
// VMs.
//
// As many VMs run at a time in a clone as there are processors, whatever the processes; others wait.
package vm
