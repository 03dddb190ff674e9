// Package packaging is what a host gets beside the program: units for systemd, rules for udev, the scripts that install and remove them
// for `make install` and `make uninstall`, and OPERATING.md, the page for who runs the host. The manual pages are the program's own words:
// install.sh asks it for them.
//
//	manifest.sh     what goes where
//	install.sh      puts it there
//	uninstall.sh    removes it, unless it is in use
//	systemd/        the daemon; its volumes at shutdown; one volume without it; a volume group
//	udev/           names for the devices; what keeps LVM from activating what is on them
//
// The tests here need neither root nor a device. Package boot, below, boots a host with all of it.
package packaging
