package login

import (
	"fmt"
	"testing"
	"time"
)

func TestInitiatorConfigIsChecked(t *testing.T) {
	for want, spoil := range map[string]func(*InitiatorConfig){
		"login: no InitiatorName": func(c *InitiatorConfig) { c.InitiatorName = "" },
		"login: InitiatorName host is no iSCSI name, which starts with iqn., eui. or naa.": func(c *InitiatorConfig) { c.InitiatorName = "host" },
		"login: TargetName \"iqn.a b\" has a space or a control character":                 func(c *InitiatorConfig) { c.TargetName = "iqn.a b" },
		"login: no TargetName: a normal session needs one":                                 func(c *InitiatorConfig) { c.TargetName = "" },
		"login: FirstBurstLength 1024 is more than MaxBurstLength 512":                     func(c *InitiatorConfig) { c.FirstBurstLength, c.MaxBurstLength = 1024, 512 },
		"login: FirstBurstLength=100: want a number from 512 to 16777215":                  func(c *InitiatorConfig) { c.MaxBurstLength, c.FirstBurstLength = 100, 100 },
		"login: MaxRecvDataSegmentLength=-1: want a number from 512 to 16777215":           func(c *InitiatorConfig) { c.MaxRecvDataSegmentLength = -1 },
		"login: unknown digest \"MD5\": want None or CRC32C":                               func(c *InitiatorConfig) { c.DataDigest = []string{"MD5"} },
		"login: HeaderDigest=: want values separated by commas":                            func(c *InitiatorConfig) { c.HeaderDigest = []string{} },
		"login: 1.5s is no whole number of seconds":                                        func(c *InitiatorConfig) { c.DefaultTime2Wait = 1500 * time.Millisecond },
		"login: DefaultTime2Retain=7200: want a number from 0 to 3600":                     func(c *InitiatorConfig) { c.DefaultTime2Retain = 2 * time.Hour },
	} {
		cfg := testInitiatorConfig()
		spoil(cfg)
		conn := newCanned()
		if _, err := Initiate(t.Context(), conn, cfg); fmt.Sprint(err) != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		if conn.out.Len() > 0 {
			t.Errorf("%s: something was sent", want)
		}
	}
}
