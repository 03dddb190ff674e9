package scsi

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzParsers gives the same bytes to every parser. None may panic; what they return is bounded by the input, survives being
// appended and parsed again, and errors are of the promised types.
func FuzzParsers(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		fuzzCDB(t, b)
		fuzzPages(t, b)
		fuzzLists(t, b)
		fuzzSense(t, b)
	})
}

func seeds(f *testing.F) [][]byte {
	var s SupportedPages
	s[VPDSerial] = true
	groups := PortGroups{Extended: true, Groups: []PortGroup{{ID: 1, Ports: []uint16{1, 2}}}}
	d := InquiryData{Vendor: "HAWSER"}
	c := Capacity{Blocks: 8, BlockSize: 512}
	p := Provisioning{LBPU: true}
	ch := Characteristics{RotationRate: NonRotating}
	sense := Sense{Key: KeyIllegalRequest, Information: 1 << 40, InfoValid: true, Specific: [3]byte{0x80}}
	all := [][]byte{
		s.Append(nil), AppendSerial(nil, "serial"), blockLimits.Append(nil), ch.Append(nil), p.Append(nil), d.Append(nil),
		AppendDesignators(nil, PortDesignator(DesignatorTargetPortGroup, 1), PortDesignator(DesignatorRelativePort, 2)),
		c.Append10(nil), c.Append16(nil), modeData.Append6(nil), modeData.Append10(nil), AppendLUNList(nil, 1, 2), groups.Append(nil),
		AppendUnmapList(nil, Range{1, 2}), AppendFixedSense(nil, sense), AppendDescriptorSense(nil, sense), AppendResponseSense(nil, sense),
	}
	for _, cdbs := range validCDBs {
		for in := range cdbs {
			all = append(all, cdb(f, in)[:])
		}
	}
	return all
}

func fuzzCDB(t *testing.T, b []byte) {
	var c CDB
	if copy(c[:], b) < len(c) {
		return
	}
	for name, parse := range parsers {
		var e *CDBError
		if err := parse(&c); err != nil && (!errors.As(err, &e) || e.Byte > 15) {
			t.Errorf("%s: got error %v", name, err)
		}
	}
	if rw, err := ParseRW(&c); err == nil {
		var again CDB
		if rw.Write {
			PutWrite(&again, rw.LBA, rw.Blocks, rw.FUA)
		} else {
			PutRead(&again, rw.LBA, rw.Blocks, rw.FUA)
		}
		rw.DPO, rw.Protect = false, 0
		if got, err := ParseRW(&again); err != nil || got != rw {
			t.Errorf("got %+v, %v, want %+v", got, err, rw)
		}
	}
}

func fuzzPages(t *testing.T, b []byte) {
	again(t, b, ParseBlockLimits, func(v BlockLimits) []byte { return v.Append(nil) })
	again(t, b, ParseCharacteristics, func(v Characteristics) []byte { return v.Append(nil) })
	again(t, b, ParseProvisioning, func(v Provisioning) []byte { return v.Append(nil) })
	again(t, b, ParseSupportedPages, func(v SupportedPages) []byte { return v.Append(nil) })
	again(t, b, ParseMode6, func(v ModeData) []byte { return v.Append6(nil) })
	again(t, b, ParseMode10, func(v ModeData) []byte { return v.Append10(nil) })
	for _, parse := range []func([]byte) (Capacity, error){ParseCapacity10, ParseCapacity16} {
		c, err := parse(b)
		typed(t, err)
		if err == nil && (c.Validate() != nil || c.Bytes() > math.MaxInt64 || c.BlockSize < MinBlockSize) {
			t.Errorf("got unusable %+v", c)
		}
	}
	again(t, b, ParseCapacity16, func(v Capacity) []byte { v.Protection &= 7; return v.Append16(nil) })
	if d, err := ParseInquiryData(b); err == nil {
		printable(t, d.Vendor, 4*8)
		printable(t, d.Product, 4*16)
		printable(t, d.Revision, 4*4)
	}
	if s, err := ParseSerial(b); err == nil {
		printable(t, s, 4*len(b))
	}
}

func fuzzLists(t *testing.T, b []byte) {
	again(t, b, ParseLUNList, func(v []uint64) []byte { return AppendLUNList(nil, v...) })
	again(t, b, ParsePortGroups, func(v PortGroups) []byte { return v.Append(nil) })
	again(t, b, ParseDesignators, func(v []Designator) []byte { return AppendDesignators(nil, v...) })
	again(t, b, ParseGroupStates, func(v []GroupState) []byte { return AppendGroupStates(nil, v...) })
	if luns, err := ParseLUNList(b); err == nil && (len(luns) > MaxLUNs || 8*len(luns) > len(b)) {
		t.Errorf("got %d LUNs of %d bytes", len(luns), len(b))
	}
	if p, err := ParsePortGroups(b); err == nil && (len(p.Groups) > MaxPortGroups || rtpgGroupLen*len(p.Groups) > len(b)) {
		t.Errorf("got %d groups of %d bytes", len(p.Groups), len(b))
	}
	if ds, err := ParseDesignators(b); err == nil {
		fuzzDesignators(t, ds)
	}
	l, err := ParseUnmapList(b)
	typed(t, err)
	if l.Len() > MaxUnmapRanges || l.Len()*unmapRangeLen > len(b) {
		t.Errorf("got %d ranges of %d bytes", l.Len(), len(b))
	}
	for i := range l.Len() {
		l.At(i)
	}
}

func fuzzDesignators(t *testing.T, ds []Designator) {
	for _, d := range ds {
		printable(t, d.String(), 6+4*len(d.ID))
	}
	if d, ok := LUNIdentity(ds); ok && (d.Association != AssociationLUN || len(d.ID) < 5) {
		t.Errorf("got %+v as identity", d)
	}
	TargetPortGroup(ds)
	RelativeTargetPort(ds)
}

func fuzzSense(t *testing.T, b []byte) {
	ParseResponseSense(b)
	s, ok := ParseSense(b)
	if !ok {
		equal(t, s, Sense{})
		return
	}
	printable(t, s.String(), 200)
	if got, ok := ParseResponseSense(AppendResponseSense(nil, s)); !ok || got != s {
		t.Errorf("got %+v, %v, want %+v", got, ok, s)
	}
}

// again checks that what was parsed survives being appended and parsed once more, and that an error is typed.
func again[T any](t *testing.T, b []byte, parse func([]byte) (T, error), app func(T) []byte) {
	v, err := parse(b)
	typed(t, err)
	if err != nil {
		return
	}
	got, err := parse(app(v))
	if err != nil {
		t.Errorf("%+v: not parsed again: %v", v, err)
	} else if d := cmp.Diff(v, got); d != "" {
		t.Errorf("-first +again:\n%s", d)
	}
}

func typed(t *testing.T, err error) {
	var f *FormatError
	if err != nil && !errors.Is(err, ErrUseReadCapacity16) && !errors.As(err, &f) {
		t.Errorf("got error %T %v", err, err)
	}
}

func printable(t *testing.T, s string, limit int) {
	if len(s) > limit {
		t.Errorf("got %d characters, want at most %d", len(s), limit)
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 {
		t.Errorf("got %q, want printable", s)
	}
}
