package pdu

import (
	"bytes"
	"reflect"
	"testing"
)

const fuzzMaxData = 8192

func FuzzFrame(f *testing.F) {
	for _, c := range pduCases {
		b := c.bhs(f)
		var ahs, data []byte
		if c.op == OpSCSICommand {
			ahs = (&AHS{ExtendedCDB: []byte{1, 2, 3}, Bidi: true, BidiReadLength: 9}).Append(nil)
		}
		if c.hasData() {
			data = AppendText(AppendText(nil, "TargetName", "iqn.x"), "TargetAddress", "[::1]:3260,1")
		}
		for digests := range 4 {
			header, payload := digests&1 != 0, digests&2 != 0
			f.Add(AppendFrame(nil, &b, ahs, data, header, payload), header, payload)
		}
	}
	f.Fuzz(func(t *testing.T, buf []byte, header, payload bool) {
		checkFrame(t, buf, header, payload)
	})
}

// checkFrame holds for any bytes whatever.
func checkFrame(t *testing.T, buf []byte, header, payload bool) {
	before := bytes.Clone(buf)
	frame, n, err := ParseFrame(buf, header, payload, fuzzMaxData)
	if n < 0 || n > len(buf) || n%4 != 0 || (err == nil && n < BHSLen) {
		t.Fatalf("frame of %d bytes in %d, error %v", n, len(buf), err)
	}
	if err != nil {
		return
	}
	if len(frame.AHS) != AHSLen(frame.BHS) || len(frame.Data) != DataLen(frame.BHS) || len(frame.Data) > fuzzMaxData {
		t.Fatalf("segments of %d and %d bytes do not match the header", len(frame.AHS), len(frame.Data))
	}
	checkReframed(t, frame, header, payload)
	checkDecoded(t, frame.BHS)
	checkAHS(t, frame.AHS)
	checkText(t, frame.Data)
	if !bytes.Equal(buf, before) {
		t.Fatal("the buffer was written to")
	}
}

// checkReframed: what is taken apart can be put together again.
func checkReframed(t *testing.T, want Frame, header, payload bool) {
	again := AppendFrame(nil, want.BHS, want.AHS, want.Data, header, payload)
	got, n, err := ParseFrame(again, header, payload, fuzzMaxData)
	if err != nil || n != len(again) {
		t.Fatalf("reframed: %d of %d bytes, %v", n, len(again), err)
	}
	if *got.BHS != *want.BHS || !bytes.Equal(got.AHS, want.AHS) || !bytes.Equal(got.Data, want.Data) {
		t.Fatalf("reframed: got %+v, want %+v", got, want)
	}
}

// checkDecoded: what a header says survives encoding, and exactly one codec takes it.
func checkDecoded(t *testing.T, b *BHS) {
	for _, c := range pduCases {
		first := c.fresh()
		if err := first.Decode(b); err != nil {
			continue
		}
		if c.op != OpcodeOf(b) {
			t.Fatalf("%v decoded as %v", OpcodeOf(b), c.op)
		}
		encoded, second := dirtyBHS(), c.fresh()
		first.Encode(&encoded)
		if err := second.Decode(&encoded); err != nil || !reflect.DeepEqual(second, first) {
			t.Fatalf("got %+v, %v; want %+v", second, err, first)
		}
		if DataLen(&encoded) != DataLen(b) || AHSLen(&encoded) != AHSLen(b) {
			t.Fatalf("%v: lengths changed", c.op)
		}
	}
}

func checkAHS(t *testing.T, b []byte) {
	var first, second AHS
	if first.Parse(b) != nil {
		return
	}
	again := first.Append(nil)
	if len(again) != len(b) {
		t.Fatalf("AHS of %d bytes became %d", len(b), len(again))
	}
	if err := second.Parse(again); err != nil || !reflect.DeepEqual(second, first) {
		t.Fatalf("AHS: got %+v, %v; want %+v", second, err, first)
	}
}

func checkText(t *testing.T, data []byte) {
	var again []byte
	s := NewTextScanner(data)
	for key, value := range s.Pairs() {
		if len(key) == 0 || len(key) > MaxKeyLen || len(value) > MaxValueLen {
			t.Fatalf("pair of %d and %d bytes", len(key), len(value))
		}
		again = AppendText(again, string(key), string(value))
	}
	if len(again) > len(data) {
		t.Fatalf("%d bytes of pairs in %d of text", len(again), len(data))
	}
	rescanned := NewTextScanner(again)
	var got []byte
	for key, value := range rescanned.Pairs() {
		got = AppendText(got, string(key), string(value))
	}
	if rescanned.Err() != nil || !bytes.Equal(got, again) {
		t.Fatalf("got %q, %v; want %q", got, rescanned.Err(), again)
	}
}
