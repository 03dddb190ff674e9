package login

import (
	"errors"
	"fmt"
	"testing"

	"github.com/hawser-storage/hawser/iscsi/pdu"
)

func TestTargetCallbacks(t *testing.T) {
	cause := errors.New("not today")
	moved := &RedirectError{Address: Address{Host: "fe80::2", Port: 3261}, Permanent: true}
	for name, c := range map[string]struct {
		cfg    TargetConfig
		status pdu.LoginStatus
		text   string
	}{
		"not found": {TargetConfig{Authorize: func(Request) error { return Refuse(pdu.LoginTargetNotFound, cause) }}, 0x0203, ""},
		"no access": {TargetConfig{Authorize: func(Request) error { return fmt.Errorf("acl: %w", Refuse(pdu.LoginForbidden, cause)) }}, 0x0202, ""},
		"broken":    {TargetConfig{Authorize: func(Request) error { return cause }}, 0x0300, ""},
		"moved":     {TargetConfig{Authorize: func(Request) error { return moved }}, 0x0102, lines("TargetAddress=[fe80::2]:3261")},
		"moved once": {TargetConfig{Session: func(Request) (uint16, error) {
			return 0, &RedirectError{Address: Address{"h", 1, 0, false}, Permanent: false}
		}}, 0x0101, lines("TargetAddress=h:1")},
		"full":        {TargetConfig{Session: func(Request) (uint16, error) { return 0, Refuse(pdu.LoginOutOfResources, cause) }}, 0x0302, ""},
		"no handle":   {TargetConfig{Session: func(Request) (uint16, error) { return 0, nil }}, 0x0300, ""},
		"no database": {TargetConfig{Auth: func(Request) (Authenticator, error) { return nil, Refuse(pdu.LoginServiceUnavailable, cause) }}, 0x0301, ""},
	} {
		p, replies, err := acceptFlow(t, &c.cfg, goodDemands()...)
		last := replies[len(replies)-1]
		if p != nil || err == nil || last.LoginStatus() != c.status || last.text != c.text || last.Transit || last.TSIH != 0 {
			t.Errorf("%s: got %v; told %v %q", name, err, last.LoginStatus(), last.text)
		}
	}
	// The same error value may serve many logins at a time.
	if (&TargetConfig{}).Authorize != nil || moved.Address.Host != "fe80::2" {
		t.Error("a configuration was changed")
	}
}

func TestTargetConfigIsChecked(t *testing.T) {
	for want, cfg := range map[string]TargetConfig{
		"login: TargetName cannot be forced: it is not negotiated":              {Keys: map[string]string{"TargetName": "iqn.a"}},
		"login: AuthMethod cannot be forced: it is not negotiated":              {Keys: map[string]string{"AuthMethod": "CHAP"}},
		"login: unknown key \"Speed\"":                                          {Keys: map[string]string{"Speed": "fast"}},
		"login: MaxBurstLength=7: want a number from 512 to 16777215":           {Keys: map[string]string{"MaxBurstLength": "7"}},
		"login: InitialR2T=maybe: want Yes or No":                               {Keys: map[string]string{"InitialR2T": "maybe"}},
		"login: TextSegment 8193: want 1 to 8192":                               {TextSegment: 8193},
		"login: MaxRecvDataSegmentLength=3: want a number from 512 to 16777215": {MaxRecvDataSegmentLength: 3},
	} {
		if _, err := Accept(t.Context(), newCanned(), &cfg); fmt.Sprint(err) != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}
