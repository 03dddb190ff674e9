package reclaim

import (
	"slices"
	"strings"
	"testing"
)

func TestThreadFlags(t *testing.T) {
	for stat, want := range map[string]uint64{
		"17 (hawser) S 1 17 17 0 -1 4194560 1030 0 0":       4194560,
		"17 (a) b) R (c) S 1 17 17 0 -1 1572864 1030 0":     flusherFlags,
		"17 (\n) S 1 17 17 34816 17 18446744073709551615 0": 1<<64 - 1,
	} {
		if got, err := threadFlags(stat); err != nil || got != want {
			t.Errorf("threadFlags(%q) = %d, %v; want %d", stat, got, err, want)
		}
	}
	for _, stat := range []string{"", "17 (hawser", "17 (hawser) S 1 17 17 0 -1", "17 (hawser) S 1 17 17 0 -1 x 1"} {
		if got, err := threadFlags(stat); err == nil {
			t.Errorf("threadFlags(%q) = %d; want an error", stat, got)
		}
	}
}

func TestMappingsOf(t *testing.T) {
	const maps = `00400000-00b2d000 r-xp 00000000 08:02 173521    /usr/sbin/hawser
00b2d000-01200000 r--p 0072d000 08:02 173521    /usr/sbin/hawser
7f0000000000-7f0000021000 rw-p 00000000 00:00 0
7f0000021000-7f0000022000 r--s 00000000 08:02 173522    /usr/sbin/hawser.old
7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0    [stack]
`
	want := []mapping{{0x400000, 0xb2d000}, {0xb2d000, 0x1200000}}
	if got, err := mappingsOf(maps, "/usr/sbin/hawser"); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	if _, err := mappingsOf("nonsense /x\n", "/x"); err == nil {
		t.Error("a line without addresses was taken")
	}
}

func TestProgram(t *testing.T) {
	if got := program(); strings.HasPrefix(got, "/proc/") || !strings.HasSuffix(got, ".test") {
		t.Errorf("the program is %s; want the path of the test", got)
	}
}

// TestNotAsked: a process that serves no kernel device says so.
func TestNotAsked(t *testing.T) {
	m := Verify()
	if m.Locked || m.LockedReason != errNotAsked.Error() {
		t.Errorf("got %+v", m)
	}
}
