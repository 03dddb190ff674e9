package target

import "golang.org/x/sys/unix"

// dropFrom is the number of bytes from which giving pages back costs less than writing zeroes to them.
const dropFrom = 256 << 10

func mapMemory(n int) ([]byte, error) {
	return unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
}

// remapMemory changes the length of what mapMemory made, and where it is.
func remapMemory(b []byte, n int) ([]byte, error) { return unix.Mremap(b, n, unix.MREMAP_MAYMOVE) }

func unmapMemory(b []byte) error { return unix.Munmap(b) }

// zeroMemory clears mem[off:off+n]. mem begins on a page.
func zeroMemory(mem []byte, off, n int64) error {
	page := int64(unix.Getpagesize())
	lo, hi := (off+page-1)/page*page, (off+n)/page*page
	if n < dropFrom || hi <= lo {
		clear(mem[off : off+n])
		return nil
	}
	clear(mem[off:lo])
	clear(mem[hi : off+n])
	return unix.Madvise(mem[lo:hi], unix.MADV_DONTNEED)
}
