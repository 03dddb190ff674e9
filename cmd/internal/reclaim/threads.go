package reclaim

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// What PR_SET_IO_FLUSHER sets in a thread's flags: PF_MEMALLOC_NOIO and PF_LOCAL_THROTTLE of linux/sched.h, which are the same
// since Linux 5.6.
const flusherFlags = 0x00080000 | 0x00100000

// lacking counts the threads of the process that are no I/O flushers, among all. It reads /proc and does not ask with
// PR_GET_IO_FLUSHER, which takes CAP_SYS_RESOURCE and knows the calling thread only.
func lacking() (without, all int, err error) {
	threads, err := filepath.Glob("/proc/self/task/*/stat")
	if err != nil {
		return 0, 0, err
	}
	for _, file := range threads {
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // it has ended
		}
		if err != nil {
			return 0, 0, err
		}
		flags, err := threadFlags(string(text))
		if err != nil {
			return 0, 0, fmt.Errorf("%s: %w", file, err)
		}
		all++
		if flags&flusherFlags != flusherFlags {
			without++
		}
	}
	if all == 0 {
		return 0, 0, errors.New("/proc shows no threads")
	}
	return without, all, nil
}

// threadFlags is the ninth field of a line as proc_pid_stat(5) has it. The second is a name in parentheses, in which there may be
// blanks and more parentheses.
func threadFlags(stat string) (uint64, error) {
	const beforeFlags = 6 // fields after the name: state, parent, group, session, terminal and its group
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) <= beforeFlags {
		return 0, fmt.Errorf("no flags in %q", stat)
	}
	return strconv.ParseUint(fields[beforeFlags], 10, 64)
}
