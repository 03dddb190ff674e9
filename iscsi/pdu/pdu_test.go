package pdu

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand"
	"reflect"
	"strings"
	"testing"
	"testing/quick"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type codec interface {
	Encode(b *BHS)
	Decode(b *BHS) error
}

// pduCase is what the four tests of a PDU need.
type pduCase struct {
	op     Opcode
	golden string      // the header in hexadecimal, a line of the RFC's figure each
	want   codec       // what golden decodes to
	valid  func(codec) // makes a random value one that Decode returns
	rules  []rule
}

// rule is a change to the golden header and what Decode has to say about it.
type rule struct {
	name   string
	change func(b *BHS)
	field  string // of the *FormatError; "" where the header stays good
}

// pduCases are all PDUs there are.
var pduCases = []pduCase{
	nopOutCase, scsiCommandCase, taskMgmtRequestCase, loginRequestCase, textRequestCase,
	dataOutCase, logoutRequestCase, snackCase,
	nopInCase, scsiResponseCase, taskMgmtResponseCase, loginResponseCase, textResponseCase,
	dataInCase, logoutResponseCase, r2tCase, asyncCase, rejectCase,
}

// fresh returns a new, zero PDU of the case's type.
func (c pduCase) fresh() codec {
	return reflect.New(reflect.TypeOf(c.want).Elem()).Interface().(codec)
}

// random returns a PDU that a well-behaved peer might send.
func (c pduCase) random(t *testing.T, rnd *rand.Rand) codec {
	t.Helper()
	v, ok := quick.Value(reflect.TypeOf(c.want).Elem(), rnd)
	if !ok {
		t.Fatalf("no random %T", c.want)
	}
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	if n := p.Elem().FieldByName("DataSegmentLength"); n.IsValid() {
		n.SetUint(n.Uint() & MaxDataLen)
	}
	c.valid(p.Interface().(codec))
	return p.Interface().(codec)
}

// hasData reports whether the PDU can have a data segment.
func (c pduCase) hasData() bool {
	return reflect.ValueOf(c.want).Elem().FieldByName("DataSegmentLength").IsValid()
}

func (c pduCase) bhs(t testing.TB) BHS {
	t.Helper()
	b := unhex(t, c.golden)
	if len(b) != BHSLen {
		t.Fatalf("golden %v has %d bytes", c.op, len(b))
	}
	return BHS(b)
}

func (c pduCase) test(t *testing.T) {
	t.Run("golden", c.testGolden)
	t.Run("round trip", c.testRoundTrip)
	t.Run("truncated", c.testTruncated)
	t.Run("rules", c.testRules)
}

func (c pduCase) testGolden(t *testing.T) {
	want := c.bhs(t)
	got := dirtyBHS()
	c.want.Encode(&got)
	if diff := cmp.Diff(hex.Dump(want[:]), hex.Dump(got[:])); diff != "" {
		t.Errorf("Encode (-want +got):\n%s", diff)
	}
	p := c.fresh()
	if err := p.Decode(&want); err != nil {
		t.Fatalf("Decode: %v", err)
	}
	if diff := cmp.Diff(c.want, p); diff != "" {
		t.Errorf("Decode (-want +got):\n%s", diff)
	}
}

// testRoundTrip decodes into a used struct each time: nothing of the last PDU may stay.
func (c pduCase) testRoundTrip(t *testing.T) {
	rnd := rand.New(rand.NewSource(int64(c.op)))
	got := c.fresh()
	for range 2000 {
		want := c.random(t, rnd)
		b := dirtyBHS()
		want.Encode(&b)
		if op := OpcodeOf(&b); op != c.op {
			t.Fatalf("opcode %v, want %v", op, c.op)
		}
		if err := got.Decode(&b); err != nil {
			t.Fatalf("Decode(%+v): %v", want, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("round trip (-want +got):\n%s", cmp.Diff(want, got))
		}
	}
}

func (c pduCase) testTruncated(t *testing.T) {
	b := c.bhs(t)
	var ahs, data []byte
	if c.op == OpSCSICommand {
		ahs = (&AHS{ExtendedCDB: []byte("beyond sixteen"), Bidi: true, BidiReadLength: 512}).Append(nil)
	}
	if c.hasData() {
		data = []byte("seventeen bytes..")
	}
	for digests := range 4 {
		header, payload := digests&1 != 0, digests&2 != 0
		whole := AppendFrame(nil, &b, ahs, data, header, payload)
		for n := range whole {
			f, size, err := ParseFrame(whole[:n], header, payload, MaxDataLen)
			if !errors.Is(err, ErrShort) || size != 0 || f.BHS != nil {
				t.Fatalf("%d of %d bytes: got %+v, %d, %v; want ErrShort", n, len(whole), f, size, err)
			}
		}
		f, size, err := ParseFrame(append(whole, "next PDU"...), header, payload, MaxDataLen)
		if err != nil || size != len(whole) || string(f.AHS) != string(ahs) || string(f.Data) != string(data) {
			t.Fatalf("whole PDU: got %+v, %d, %v; want %d bytes", f, size, err, len(whole))
		}
	}
}

func (c pduCase) testRules(t *testing.T) {
	for _, r := range append(c.commonRules(), c.rules...) {
		t.Run(r.name, func(t *testing.T) {
			b := c.bhs(t)
			r.change(&b)
			err := c.fresh().Decode(&b)
			if r.field == "" {
				if err != nil {
					t.Errorf("got %v, want it to decode", err)
				}
				return
			}
			wantFormatError(t, err, c.op, r.field)
		})
	}
}

// commonRules are those of every PDU.
func (c pduCase) commonRules() []rule {
	rules := []rule{
		{"another opcode", func(b *BHS) { b[0] ^= 0x01 }, "Opcode"},
		{"reserved bit of byte 0", func(b *BHS) { b[0] |= 0x80 }, ""},
	}
	if c.op.FromTarget() {
		rules = append(rules, rule{"reserved I bit", func(b *BHS) { b[0] |= 0x40 }, ""})
	}
	if c.op != OpSCSICommand {
		rules = append(rules, rule{"AHS", func(b *BHS) { b[4] = 1 }, "TotalAHSLength"})
	}
	if !c.hasData() {
		rules = append(rules, rule{"data", func(b *BHS) { b[7] = 1 }, "DataSegmentLength"})
	}
	return rules
}

// set returns a change that writes bytes at an offset.
func set(off int, bytes ...byte) func(*BHS) {
	return func(b *BHS) { copy(b[off:], bytes) }
}

// reserveTag returns a change that writes the reserved tag at an offset.
func reserveTag(off int) func(*BHS) { return set(off, 0xff, 0xff, 0xff, 0xff) }

// realTag keeps a random tag from being the reserved one.
func realTag(tag *uint32) { *tag &= 0x7fffffff }

func wantFormatError(t *testing.T, err error, op Opcode, field string) {
	t.Helper()
	var got *FormatError
	if !errors.As(err, &got) {
		t.Fatalf("got %v, want a *FormatError of %s", err, field)
	}
	if got.Op != op || got.Field != field || got.Reason == "" {
		t.Errorf("got %+v, want op %v and field %q", *got, op, field)
	}
	if !strings.Contains(err.Error(), field) || !strings.Contains(err.Error(), op.String()) {
		t.Errorf("message %q names neither PDU nor field", err)
	}
}

func dirtyBHS() BHS {
	var b BHS
	for i := range b {
		b[i] = 0xa5
	}
	return b
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCasesAreComplete(t *testing.T) {
	seen := map[Opcode]bool{}
	for _, c := range pduCases {
		b := c.bhs(t)
		if got := OpcodeOf(&b); got != c.op || seen[c.op] {
			t.Errorf("case of %v has opcode %v, or is there twice", c.op, got)
		}
		seen[c.op] = true
	}
	for op := range Opcode(0x40) {
		if known := !strings.HasPrefix(op.String(), "opcode "); known != seen[op] {
			t.Errorf("%v: named %t, tested %t", op, known, seen[op])
		}
	}
}

func TestCodecAllocatesNothing(t *testing.T) {
	for _, c := range pduCases {
		b := c.bhs(t)
		p := c.fresh()
		var err error
		allocs := testing.AllocsPerRun(100, func() {
			if err = p.Decode(&b); err == nil {
				p.Encode(&b)
			}
		})
		if err != nil || allocs != 0 {
			t.Errorf("%v: %v allocations, error %v; want none", c.op, allocs, err)
		}
	}
}

func ExampleDataIn_Decode() {
	bhs := BHS{0: 0x25, 1: 0x81, 7: 0x08, 19: 0x2a, 27: 0x07}
	var p DataIn
	if err := p.Decode(&bhs); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(OpcodeOf(&bhs), p.Final, p.HasStatus, p.ITT, p.StatSN, p.DataSegmentLength)
	// Output: SCSI Data-In true true 42 7 8
}
