package target

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/hawser-storage/hawser/iscsi/scsi"
)

// The kinds of LUN.
const (
	KindNull = "null" // reads as zeroes, forgets what is written
	KindRAM  = "ram"  // memory, gone with the target
	KindFile = "file" // a file or a block device
)

// LUN says what a logical unit is made of.
type LUN struct {
	Kind      string
	Path      string // of a file
	Size      uint64 // bytes, a multiple of the block; of a file: 0 takes it as it is, else it is made so long
	BlockSize uint32 // bytes, 512 to 65536, a power of two; 0 is 512

	WriteCache bool // WCE: writes are promised only after SYNCHRONIZE CACHE
	Volatile   bool // with WriteCache: what is not promised may be lost, by Faults.PowerLoss; not of a null LUN
	Thin       bool // UNMAP works, and the unit says so
	ReadOnly   bool

	Serial string // VPD page 80; "" derives one from the target's name and the number
	NAA    string // 32 hexadecimal digits that begin with 6; "" derives it likewise
}

// ParseLUN reads kind:what[,option=value...]:
//
//	null:4G   ram:64M,block=4096,wce=on   file:/srv/disk.img,ro=on,serial=A1
//
// Options: block=BYTES, wce=on|off, volatile=on|off, thin=on|off, ro=on|off, serial=TEXT, naa=HEX, size=SIZE (of a file). A file has a
// write cache unless told otherwise, and so has what is volatile; ram and files are thin.
func ParseLUN(spec string) (LUN, error) {
	kind, rest, _ := strings.Cut(spec, ":")
	what, options, hasOptions := strings.Cut(rest, ",")
	l := LUN{Kind: kind, BlockSize: 512}
	if err := l.setWhat(what); err != nil {
		return LUN{}, specError(spec, err)
	}
	if hasOptions {
		for o := range strings.SplitSeq(options, ",") {
			if err := l.setOption(o); err != nil {
				return LUN{}, specError(spec, err)
			}
		}
	}
	if err := l.validate(); err != nil {
		return LUN{}, specError(spec, err)
	}
	return l, nil
}

func specError(spec string, err error) error {
	return fmt.Errorf("target: LUN %q: %w", spec, err)
}

func (l *LUN) setWhat(what string) (err error) {
	switch l.Kind {
	case KindNull:
		l.Size, err = ParseSize(what)
	case KindRAM:
		l.Thin = true
		l.Size, err = ParseSize(what)
	case KindFile:
		l.Thin, l.WriteCache, l.Path = true, true, what
	default:
		err = fmt.Errorf("unknown kind %q: want null:SIZE, ram:SIZE or file:PATH", l.Kind)
	}
	return err
}

func (l *LUN) setOption(o string) (err error) {
	key, value, _ := strings.Cut(o, "=")
	switch key {
	case "block":
		var n uint64
		n, err = strconv.ParseUint(value, 10, 32)
		l.BlockSize = uint32(n)
	case "wce":
		l.WriteCache, err = parseSwitch(value)
	case "volatile":
		l.Volatile, err = parseSwitch(value)
		l.WriteCache = l.WriteCache || l.Volatile
	case "thin":
		l.Thin, err = parseSwitch(value)
	case "ro":
		l.ReadOnly, err = parseSwitch(value)
	case "serial":
		l.Serial = value
	case "naa":
		l.NAA = value
	case "size":
		l.Size, err = ParseSize(value)
	default:
		return fmt.Errorf("unknown option %q: want block, wce, volatile, thin, ro, serial, naa or size", key)
	}
	if err != nil {
		return fmt.Errorf("option %s: %w", key, err)
	}
	return nil
}

func parseSwitch(v string) (bool, error) {
	switch v {
	case "on":
		return true, nil
	case "off":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither on nor off", v)
}

func (l *LUN) validate() error {
	bs := uint64(l.BlockSize)
	switch {
	case bs < scsi.MinBlockSize || bs > scsi.MaxBlockSize || bs&(bs-1) != 0:
		return fmt.Errorf("block size %d is not a power of two from %d to %d", bs, scsi.MinBlockSize, scsi.MaxBlockSize)
	case l.Kind == KindFile && l.Path == "":
		return fmt.Errorf("a file needs a path")
	case l.Kind != KindFile && l.Size == 0:
		return fmt.Errorf("the size is 0")
	case l.Size%bs != 0:
		return fmt.Errorf("size %d is no multiple of the block, %d", l.Size, bs)
	case l.Volatile && l.Kind == KindNull:
		return fmt.Errorf("a null LUN keeps nothing that could be lost: volatile is for ram and files")
	case l.Volatile && !l.WriteCache:
		return fmt.Errorf("without a write cache nothing is volatile: it needs wce=on")
	case len(l.Serial) > 64:
		return fmt.Errorf("serial has %d bytes: at most 64 are allowed", len(l.Serial))
	}
	if l.NAA == "" {
		return nil
	}
	if b, err := hex.DecodeString(l.NAA); err != nil || len(b) != 16 || b[0]>>4 != 6 {
		return fmt.Errorf("naa %q is not 32 hexadecimal digits that begin with 6", l.NAA)
	}
	return nil
}
