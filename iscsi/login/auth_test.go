package login

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/hawser-storage/hawser/iscsi/pdu"
)

// riddle is a method for tests: the initiator asks for a riddle, the target
// tells one, the initiator solves it and may ask one in return, which the
// target solves with its consent.
type riddle struct {
	methods []string
	target  bool
	answer  string // ours
	mutual  bool   // initiator: wants the target to prove itself, too
	state   int
}

func (r *riddle) Methods() []string { return r.methods }

func (r *riddle) Step(method string, in []Pair) ([]Pair, bool, error) {
	r.state++
	if method != "X-riddle" {
		return nil, false, errors.New("method " + method)
	}
	if r.target {
		return r.stepTarget(in)
	}
	return r.stepInitiator(in)
}

func (r *riddle) stepInitiator(in []Pair) ([]Pair, bool, error) {
	switch r.state {
	case 1:
		return []Pair{{"R_A", "1"}}, false, nil
	case 2:
		if !slices.Contains(in, Pair{"R_Q", "what has keys"}) {
			return nil, false, errors.New("no riddle")
		}
		out := []Pair{{"R_S", r.answer}}
		if r.mutual {
			out = append(out, Pair{"R_Q", "and what else"})
		}
		return out, true, nil
	default:
		if r.mutual && !slices.Contains(in, Pair{"R_S", "a map"}) {
			return nil, false, errors.New("the target did not prove itself")
		}
		return nil, true, nil
	}
}

func (r *riddle) stepTarget(in []Pair) ([]Pair, bool, error) {
	if r.state == 1 {
		return []Pair{{"R_Q", "what has keys"}}, false, nil
	}
	if !slices.Contains(in, Pair{"R_S", "a table"}) {
		return nil, false, errors.New("wrong answer")
	}
	if slices.Contains(in, Pair{"R_Q", "and what else"}) {
		return []Pair{{"R_S", r.answer}}, true, nil
	}
	return nil, true, nil
}

func TestAuthentication(t *testing.T) {
	with := []string{"X-riddle"}
	either := []string{"X-riddle", "None"}
	for name, c := range map[string]struct {
		ours   *riddle
		theirs *riddle
		ok     bool
		status pdu.LoginStatus
		want   string // in the initiator's error
	}{
		"one way":         {&riddle{methods: with, answer: "a table"}, &riddle{methods: with}, true, 0, ""},
		"mutual":          {&riddle{methods: either, answer: "a table", mutual: true}, &riddle{methods: with, answer: "a map"}, true, 0, ""},
		"not wanted":      {&riddle{methods: either}, nil, true, 0, ""},
		"not needed":      {nil, &riddle{methods: either}, true, 0, ""},
		"wrong":           {&riddle{methods: with, answer: "a piano"}, &riddle{methods: with}, false, 0x0201, "authentication failure (0201)"},
		"none of ours":    {nil, &riddle{methods: with}, false, 0x0201, "authentication failure (0201)"},
		"none of theirs":  {&riddle{methods: with}, nil, false, 0x0201, "authentication failure (0201)"},
		"target unproved": {&riddle{methods: with, answer: "a table", mutual: true}, &riddle{methods: with, answer: "a door"}, false, 0, "login: authentication by X-riddle: the target did not prove itself"},
	} {
		t.Run(name, func(t *testing.T) {
			ic, tc := testInitiatorConfig(), &TargetConfig{}
			if c.ours != nil {
				ic.Auth = c.ours
			}
			if c.theirs != nil {
				c.theirs.target = true
				tc.Auth = func(Request) (Authenticator, error) { return c.theirs, nil }
			}
			i, tg := pair(t, ic, tc)
			if c.ok {
				if i.err != nil || tg.err != nil {
					t.Fatalf("initiator: %v; target: %v", i.err, tg.err)
				}
				return
			}
			if i.err == nil || tg.err == nil || !strings.Contains(i.err.Error(), c.want) {
				t.Fatalf("initiator: %v; target: %v", i.err, tg.err)
			}
			if e, ok := errors.AsType[*Error](i.err); c.status != 0 && (!ok || e.Status() != c.status) {
				t.Errorf("initiator: %v", i.err)
			}
		})
	}
}

// Who leaves the security stage out, or through without a proof, is refused.
func TestAuthenticationCannotBeSkipped(t *testing.T) {
	names := lines("InitiatorName="+testInitiator, "TargetName="+testTarget)
	skip := goodDemands()[1]
	skip.text = names
	silent := goodDemands()[0]
	silent.text = names
	early := goodDemands()[0]
	early.text = names + lines("AuthMethod=X-riddle")
	for name, demands := range map[string][]*demand{
		"no security stage": {skip},
		"no method":         {silent},
		"no proof":          {early, goodDemands()[1]},
	} {
		cfg := &TargetConfig{Auth: func(Request) (Authenticator, error) {
			return &riddle{methods: []string{"X-riddle"}, target: true}, nil
		}}
		p, replies, err := acceptFlow(t, cfg, demands...)
		if p != nil || err == nil {
			t.Errorf("%s: got in", name)
		}
		for _, r := range replies {
			if r.Transit {
				t.Errorf("%s: was let on", name)
			}
		}
	}
}
