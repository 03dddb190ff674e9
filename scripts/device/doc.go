// Package device tests hawser as a disk of a host: the daemon, /dev/nbdX of a real kernel, file systems on it, and everything that may
// happen to a path, a process, or a target meanwhile.
//
// It needs the nbd driver, and may lose its machine, so it runs in the VM of scripts/vm: TestInVM builds the program and the tests, which
// have the tag vm, boots a VM for each group of them, and passes on what they say. One group, or one test, is run with
//
//	go test -timeout 60m ./scripts/device -run 'TestInVM/restart' -v
//	DEVICE_RUN=TestFileSystem/xfs go test -timeout 60m ./scripts/device -run TestInVM/filesystem -v
//
// In the VM each test has a storage with two portals, which can be cut; a daemon; and the command line. The storage is an embedded target in
// the test's own process, whose faults it can switch and whose counters it can read; in the tests of the group lio it is the kernel's target,
// set up through configfs, with a relay before each portal, and a count of commands that the kernel's tracing keeps.
package device
