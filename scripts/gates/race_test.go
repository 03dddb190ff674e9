package gates

import (
	"os"
	"testing"
)

// TestRaceIsOn fails a run that says it looks for data races and does not.
func TestRaceIsOn(t *testing.T) {
	if os.Getenv("REQUIRE_RACE") == "1" && !raceEnabled {
		t.Fatal("REQUIRE_RACE=1, but the tests were built without -race")
	}
}
