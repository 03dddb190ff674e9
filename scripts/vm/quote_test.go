package vm

import (
	"os/exec"
	"testing"
)

func TestQuote(t *testing.T) {
	for _, want := range []string{"", "plain", "it's", `"$HOME" \ $(id)`, "two\nlines", "'''"} {
		got, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s "+quote(want)).Output()
		if err != nil || string(got) != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
}
