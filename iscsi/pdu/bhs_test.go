package pdu

import "testing"

func TestHeaderFields(t *testing.T) {
	b := BHS{0: 0xff, 4: 0xff, 5: 0xff, 6: 0xff, 7: 0xff, 16: 1, 17: 2, 18: 3, 19: 4}
	if got := OpcodeOf(&b); got != OpReject {
		t.Errorf("OpcodeOf: got %v, want %v", got, OpReject)
	}
	if !Immediate(&b) || Immediate(&BHS{0: 0xbf}) {
		t.Error("Immediate: got the wrong bit")
	}
	if got := ITTOf(&b); got != 0x01020304 {
		t.Errorf("ITTOf: got 0x%08x", got)
	}
	if got := DataLen(&b); got != MaxDataLen {
		t.Errorf("DataLen: got %d, want %d", got, MaxDataLen)
	}
	if got := DataLen(&BHS{5: 1, 6: 2, 7: 3}); got != 0x010203 {
		t.Errorf("DataLen: got 0x%06x, want 0x010203", got)
	}
	if got := AHSLen(&b); got != MaxAHSLen {
		t.Errorf("AHSLen: got %d, want %d", got, MaxAHSLen)
	}
}

func TestPad(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1: 4, 3: 4, 4: 4, 5: 8, MaxDataLen: MaxDataLen + 1} {
		if got := Pad(n); got != want {
			t.Errorf("Pad(%d): got %d, want %d", n, got, want)
		}
	}
}

// A length that does not fit must not spill into the fields beside it.
func TestEncodeCutsDataLength(t *testing.T) {
	var b BHS
	(&DataOut{DataSegmentLength: 0xff000001}).Encode(&b)
	if b[4] != 0 || DataLen(&b) != 1 {
		t.Errorf("got TotalAHSLength %d, DataSegmentLength %d; want 0 and 1", b[4], DataLen(&b))
	}
}
