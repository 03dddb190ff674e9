package kernel

import (
	"strings"
	"testing"
)

func TestParseMount(t *testing.T) {
	for _, tt := range []struct {
		line string
		want mount
		ok   bool
	}{
		{"36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue", mount{"98:0", "/mnt2", "/dev/root"}, true},
		{"36 35 98:0 / / rw - ext3 /dev/root rw\n", mount{"98:0", "/", "/dev/root"}, true},
		{"36 35 98:0 / /a rw shared:1 master:2 propagate_from:3 unbindable - xfs /dev/sdb rw", mount{"98:0", "/a", "/dev/sdb"}, true},
		{`36 35 0:5 / /a\040b\011c\012d\134e\043 rw - tmpfs no\040ne rw`, mount{"0:5", "/a b\tc\nd\\e#", "no ne"}, true},
		{`36 35 0:5 / /a\04 rw - tmpfs none\ rw`, mount{"0:5", `/a\04`, `none\`}, true},
		{`36 35 0:5 / /a\400\999\x rw - tmpfs none rw`, mount{"0:5", `/a\400\999\x`, "none"}, true},
		{"36 35 98:0 / /no\u00a0break rw - ext3 /dev/sda rw", mount{"98:0", "/no\u00a0break", "/dev/sda"}, true},
		{"36 35 98:0 / / rw - ext3", mount{}, false},
		{"36 35 98:0 / / - ext3 /dev/root rw", mount{}, false},
		{"36 35 98:0 / / rw master:1 ext3 /dev/root rw", mount{}, false},
		{"", mount{}, false},
		{" - ", mount{}, false},
	} {
		got, ok := parseMount(tt.line)
		if got != tt.want || ok != tt.ok {
			t.Errorf("%q: got %+v, %v; want %+v, %v", tt.line, got, ok, tt.want, tt.ok)
		}
	}
}

// escape is what the kernel does to names in mountinfo.
func escape(s string) string {
	return strings.NewReplacer(" ", `\040`, "\t", `\011`, "\n", `\012`, `\`, `\134`, "#", `\043`).Replace(s)
}

// FuzzParseMount: any line is read or refused, and any name in a line comes out as it went in.
func FuzzParseMount(f *testing.F) {
	f.Add("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw", "/mnt", "/dev/nbd0")
	f.Add(`1 1 0:0 \ \0 \04 - \777 \0400`, "/a b\\040", "")
	f.Add("\u00a0", "/mnt/a\u00a0b\u0085", "\xff\v\f\r")
	f.Add(" - ", "/\t\n#", " - ")
	f.Fuzz(func(t *testing.T, line, point, source string) {
		if m, ok := parseMount(line); ok && (m.number == "" || m.point == "" || m.source == "") {
			t.Errorf("%q: %+v", line, m)
		}
		if len(unescape(line)) > len(line) {
			t.Errorf("%q became longer", line)
		}
		if source == "" {
			return
		}
		point = "/" + point
		got, ok := parseMount("36 35 98:0 / " + escape(point) + " rw - ext4 " + escape(source) + " rw")
		if want := (mount{"98:0", point, source}); !ok || got != want {
			t.Errorf("got %+v, %v; want %+v", got, ok, want)
		}
	})
}
