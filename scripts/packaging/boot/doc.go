// Package boot boots a host on which hawser is installed, with systemd as PID 1, udev, and LVM's event activation, and looks at what
// scripts/packaging promises: the volumes come before the file systems that fstab has on them, and go after them; a volume group waits for its
// unit; a restart of the daemon is seen by nobody.
//
// The host is the VM of scripts/vm, twice, with the same storage and the same /var/lib/hawser:
//
//	guest/first.sh     attaches the volumes and puts a file system, partitions and a volume group on them; without systemd
//	guest/second.sh    finds them after the boot, uses them, and leaves them mounted
//
// What became of them at the shutdown is seen from outside: in the order of what systemd said on the console, and in the file systems.
package boot
