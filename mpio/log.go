package mpio

import "context"

// The keys of log lines.
const (
	logVolume = "volume"
	logPath   = "path"
	logFrom   = "from"
	logTo     = "to"
	logReason = "reason"
	logCount  = "requests"
)

func reasonText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// background is for log lines: they belong to no call.
var background = context.Background()
