package reclaim

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

const (
	scoreFile = "/proc/self/oom_score_adj"

	never   = -1000 // to be killed to make room
	neutral = 0     // what everybody may come down to, unless the service manager has had another idea
)

// spare takes the process out of the kernel's choice, or gets as near to it as it is allowed to.
func spare() error {
	now, err := score()
	if err != nil || now == never {
		return err
	}
	err = capability("CAP_SYS_RESOURCE", setScore(never))
	if err != nil && now > neutral {
		_ = setScore(neutral)
	}
	return err
}

func score() (int, error) {
	text, err := os.ReadFile(scoreFile)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", scoreFile, err)
	}
	return n, nil
}

func setScore(n int) error { return os.WriteFile(scoreFile, []byte(strconv.Itoa(n)), 0) }
