package pdu

import "testing"

func TestLoginStatusString(t *testing.T) {
	for status, want := range map[LoginStatus]string{
		LoginSuccess:            "success",
		LoginTargetNotFound:     "target not found",
		LoginServiceUnavailable: "service unavailable",
		0x01ff:                  "redirection, detail 0xff",
		0x02ee:                  "initiator error, detail 0xee",
		0x0777:                  "status class 0x07, detail 0x77",
	} {
		if got := status.String(); got != want {
			t.Errorf("0x%04x: got %q, want %q", uint16(status), got, want)
		}
	}
}

func TestLoginStatusesAreDistinct(t *testing.T) {
	seen := map[string]LoginStatus{}
	for class, details := range []LoginStatus{1, 3, 0x0c, 3} {
		for detail := range details {
			status := LoginStatus(class)<<8 | detail
			if status == 0x0100 { // of no meaning
				continue
			}
			text := status.String()
			if other, ok := seen[text]; ok {
				t.Errorf("0x%04x and 0x%04x are both %q", uint16(status), uint16(other), text)
			}
			seen[text] = status
			if got, want := status.Class(), StatusClass(class); got != want {
				t.Errorf("0x%04x: class %v, want %v", uint16(status), got, want)
			}
		}
	}
}
