// Package reclaim makes hawser a process that memory can be freed through.
//
// When memory is short the kernel writes dirty pages back, to get them free. Those that belong to a file system on a hawser device
// are written by hawser, and if hawser then has to wait for memory itself, it waits for its own work: the host stands
// still, and no log says why. So a process that serves a kernel device begins with
//
//	reclaim.Prepare()
//
// and has four things from then on, as far as it is allowed to:
//
//	what                  how                             what for                                          it takes
//	I/O flusher           PR_SET_IO_FLUSHER, on every     its allocations start no write-back, and its      CAP_SYS_RESOURCE, Linux 5.6
//	                      thread                          writes are not throttled for pages that wait
//	                                                      for it
//	locked memory         mlockall, from the first touch  what it has touched is never evicted              RLIMIT_MEMLOCK unlimited, or
//	locked program        mlock of the executable         code that runs for the first time when a path     CAP_IPC_LOCK
//	                                                      fails need not be read from a disk by then
//	OOM score             -1000                           the kernel does not kill it to make room          CAP_SYS_RESOURCE
//
// Nothing of it is a reserve. It keeps hawser from waiting for itself; that there is a free page left for its sockets is the host's
// affair: bounded dirty memory (vm.dirty_bytes), vm.min_free_kbytes, and no swap on a hawser device.
//
// What is not to be had is left, and [Verify] says why, for the status: a container without the capabilities, or a test, works,
// with that risk.
//
// # Why it starts again
//
// The flag is a thread's. A new thread has it from the one that makes it, and execve(2) keeps it. A Go program has several
// threads before the first line of ours runs, so Prepare sets the flag on one of them and executes the program anew, from there: now
// the first thread has it, and all others come from that. The process number stays, so a service manager notices nothing. The
// arguments, the environment, and files without close-on-exec stay too; all else is done a second time. Therefore Prepare comes before
// anything is opened or said. A variable in the environment keeps it from being done a third time.
//
// Programs that hawser runs, such as modprobe and itself for an errand (package kernel), inherit the flag and the score, and not the locks.
//
// # The garbage collector
//
// GOGC and GOMEMLIMIT are left as they are. The data path allocates nothing, so the collector hardly runs; a limit close to what is
// in use would have it run all the time, which is worse than any page it returns. Locked pages are returned all the same: the
// runtime maps them anew where the kernel refuses MADV_DONTNEED.
package reclaim
