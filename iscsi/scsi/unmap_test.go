package scsi

import (
	"errors"
	"testing"
)

func rangesOf(l UnmapList) []Range {
	var rs []Range
	for i := range l.Len() {
		rs = append(rs, l.At(i))
	}
	return rs
}

const unmapGolden = `0026 0020 00000000
	0102030405060708 090a0b0c 00000000
	ffffffffffffffff ffffffff 00000000`

func TestUnmapListGolden(t *testing.T) {
	want := []Range{{0x0102030405060708, 0x090a0b0c}, {1<<64 - 1, 1<<32 - 1}}
	data := unhex(t, unmapGolden)
	equal(t, AppendUnmapList(nil, want...), data)
	l, err := ParseUnmapList(data)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, rangesOf(l), want)
}

func TestUnmapListTruncated(t *testing.T) {
	data := unhex(t, unmapGolden)
	for n := 1; n < len(data); n++ {
		_, err := ParseUnmapList(data[:n:n])
		if f := (*FormatError)(nil); !errors.As(err, &f) || f.Need <= n {
			t.Errorf("%d bytes: got %v, want a FormatError with Need", n, err)
		}
	}
}

func TestUnmapListRules(t *testing.T) {
	tests := []struct {
		name, in string
		want     []Range
		fails    bool
	}{
		{name: "nothing", in: ""},
		{name: "no ranges", in: "0006 0000 00000000"},
		{name: "incomplete last range", in: "001e 0018 00000000 0000000000000001 00000002 00000000 0000000000000003", want: []Range{{1, 2}}},
		{name: "half a range", in: "000e 0008 00000000 0000000000000001"},
		{name: "more data than the list", in: "0016 0010 00000000 0000000000000001 00000002 00000000 ffff", want: []Range{{1, 2}}},
		{name: "list shorter than its ranges", in: "0006 0010 00000000 0000000000000001 00000002 00000000", fails: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l, err := ParseUnmapList(unhex(t, test.in))
			if (err != nil) != test.fails {
				t.Fatalf("got error %v, want failure: %v", err, test.fails)
			}
			equal(t, rangesOf(l), test.want)
		})
	}
}

func TestUnmapListLargest(t *testing.T) {
	rs := make([]Range, MaxUnmapRanges)
	data := AppendUnmapList(nil, rs...)
	if len(data) > 65535 {
		t.Errorf("got %d bytes, want what PutUnmap can express", len(data))
	}
	l, err := ParseUnmapList(data)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, l.Len(), MaxUnmapRanges)
	defer func() {
		if recover() == nil {
			t.Error("one range more: got no panic")
		}
	}()
	AppendUnmapList(nil, append(rs, Range{})...)
}
