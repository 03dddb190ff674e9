package vm

import (
	"bytes"
	"fmt"
	"io/fs"
)

// A cpio is an archive in the form that the kernel unpacks at its start: "newc", in the kernel's
// Documentation/driver-api/early-userspace/buffer-format.rst. The zero value is empty.
type cpio struct {
	buf   bytes.Buffer
	inode int
}

const (
	cpioDir  = 0o040000
	cpioFile = 0o100000
)

// dir adds a directory. Those above it come first.
func (c *cpio) dir(name string) { c.entry(name, cpioDir|0o755, nil) }

// file adds a file.
func (c *cpio) file(name string, perm fs.FileMode, data []byte) {
	c.entry(name, cpioFile|int(perm.Perm()), data)
}

// bytes ends the archive and returns it.
func (c *cpio) bytes() []byte {
	c.entry("TRAILER!!!", 0, nil)
	return c.buf.Bytes()
}

// entry writes a header of 13 fields of 8 hexadecimal digits, the name with a NUL, and the data, the latter
// two padded to 4 bytes.
func (c *cpio) entry(name string, mode int, data []byte) {
	c.inode++
	fmt.Fprintf(&c.buf, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", c.inode, mode,
		0, 0, // uid, gid
		1,            // links
		0, len(data), // time, size
		0, 0, 0, 0, // devices of the file, and that it is
		len(name)+1, 0) // and a checksum, which this form has not
	c.buf.WriteString(name + "\x00")
	c.pad()
	c.buf.Write(data)
	c.pad()
}

func (c *cpio) pad() {
	for c.buf.Len()%4 != 0 {
		c.buf.WriteByte(0)
	}
}
