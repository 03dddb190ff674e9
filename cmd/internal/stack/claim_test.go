package stack

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// claimOf is one by the sessions that are named, of LUN 0.
func claimOf(isids ...string) (c claimed) {
	for _, id := range isids {
		c.Sessions = append(c.Sessions, claimedSession{Target: "iqn.a", Portal: "p" + id, ISID: id})
	}
	return c
}

func mustStake(t *testing.T, dir string, c claimed, want inheritance) *claim {
	t.Helper()
	cl, in, err := stake(dir, c)
	if err != nil {
		t.Fatal(err)
	}
	if in != want {
		t.Errorf("inherits %+v, want %+v", in, want)
	}
	return cl
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func wantFiles(t *testing.T, dir string, n int) {
	t.Helper()
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != n {
		t.Errorf("got %v, %v, want %d files", names, err, n)
	}
}

func TestClaims(t *testing.T) {
	nothing, same, others := inheritance{}, inheritance{any: true}, inheritance{any: true, strange: true}
	for name, c := range map[string]struct {
		was, is claimed
		want    inheritance
	}{
		"same":             {claimOf("1", "2"), claimOf("1", "2"), same},
		"in another order": {claimOf("2", "1"), claimOf("1", "2"), same},
		"one more":         {claimOf("1"), claimOf("1", "2"), same},
		"one less":         {claimOf("1", "2"), claimOf("1"), others},
		"other ones":       {claimOf("1"), claimOf("2"), others},
		"another LUN":      {claimed{Sessions: []claimedSession{{Target: "iqn.a", Portal: "p1", ISID: "1", LUN: 7}}}, claimOf("1"), nothing},
		"another target":   {claimed{Sessions: []claimedSession{{Target: "iqn.b", Portal: "p1", ISID: "1"}}}, claimOf("1"), nothing},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "new")
			old := mustStake(t, dir, c.was, inheritance{})
			ok(t, old.leave())
			ok(t, mustStake(t, dir, c.is, c.want).end())
		})
	}
}

// TestLivingClaim: who lives has left nothing.
func TestLivingClaim(t *testing.T) {
	dir := t.TempDir()
	first := claimOf("1")
	first.PID, first.Volume = 7, "one"
	living := mustStake(t, dir, first, inheritance{})
	ok(t, mustStake(t, dir, claimOf("2"), inheritance{beside: "process 7, as one"}).end())
	var twice *claimedError
	if _, _, err := stake(dir, claimOf("1")); !errors.As(err, &twice) {
		t.Errorf("the same sessions and LUN twice: got %v", err)
	}
	ok(t, living.end())
	wantFiles(t, dir, 0)
}

// TestClaimsEnd: a claim is there until its process has nothing at the storage, and what it has inherited for as long.
func TestClaimsEnd(t *testing.T) {
	dir := t.TempDir()
	ok(t, mustStake(t, dir, claimOf("1"), inheritance{}).leave())
	second := mustStake(t, dir, claimOf("2"), inheritance{any: true, strange: true})
	ok(t, second.leave()) // before the fence: nothing is taken back
	wantFiles(t, dir, 2)
	third := mustStake(t, dir, claimOf("1", "2"), inheritance{any: true})
	wantFiles(t, dir, 3)
	ok(t, third.fenced())
	wantFiles(t, dir, 1)
	ok(t, third.end())
	wantFiles(t, dir, 0)
	ok(t, mustStake(t, dir, claimOf("1"), inheritance{}).end())
}

// TestDamagedClaim: it may be of any sessions, and goes when it is fenced.
func TestDamagedClaim(t *testing.T) {
	for _, text := range []string{"", "{", `{"sessions":1}`} {
		dir := t.TempDir()
		ok(t, os.WriteFile(filepath.Join(dir, "0.json"), []byte(text), 0o600))
		ok(t, mustStake(t, dir, claimOf("1"), inheritance{any: true, strange: true}).end())
		wantFiles(t, dir, 0)
	}
}

func TestNoPlaceForClaims(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	ok(t, os.WriteFile(file, nil, 0o600))
	if _, _, err := stake(file, claimOf("1")); err == nil {
		t.Error("a claim in what is no directory")
	}
}

// TestClaimNames are the same for the same sessions, in any order, and for no others.
func TestClaimNames(t *testing.T) {
	names := map[string]string{}
	for what, c := range map[string]claimed{"1": claimOf("1"), "1 2": claimOf("1", "2"), "2 1": claimOf("2", "1"), "12": claimOf("12")} {
		names[what] = c.fileName()
	}
	if names["1 2"] != names["2 1"] || names["1"] == names["1 2"] || names["1"] == names["12"] {
		t.Errorf("got %v", names)
	}
}

// TestClaimMadeAnew: what is taken back is what was found, and not what somebody has put in its place since.
func TestClaimMadeAnew(t *testing.T) {
	dir := t.TempDir()
	ok(t, mustStake(t, dir, claimOf("1"), inheritance{}).leave())
	heir := mustStake(t, dir, claimOf("2"), inheritance{any: true, strange: true})
	again := mustStake(t, dir, claimOf("1"), inheritance{any: true, beside: "process 0, as "})
	ok(t, heir.end())
	wantFiles(t, dir, 1)
	ok(t, again.leave())
	mustStake(t, dir, claimOf("1"), inheritance{any: true})
}

// TestUnfinishedClaim: one who was killed in the middle has not made one.
func TestUnfinishedClaim(t *testing.T) {
	dir := t.TempDir()
	ok(t, os.WriteFile(filepath.Join(dir, newClaim+"1"), []byte("{"), 0o600))
	ok(t, mustStake(t, dir, claimOf("1"), inheritance{}).end())
	wantFiles(t, dir, 0)
}
