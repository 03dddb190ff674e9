package mpio

import (
	"time"

	"github.com/hawser-storage/hawser/blockdev"
)

// disposition is one row of the table: what an error looks like, and what is done about it.
//
// action is taken until its times or its window are used up, and then `then`. RetryOther ends by itself, when each usable path has
// had the request: then comes `last`, which is Fail, or Wait to begin another round while NoPathRetry allows it.
type disposition struct {
	name  string
	match matcher

	action Action
	times  int           // for this request; 0 is no bound of its own
	window time.Duration // since the request first met this row; 0 is no bound of its own
	pause  pause
	then   Action
	last   Action

	failPath   bool          // this path is not to be chosen for a while
	flushAgain bool          // it tells nothing of what a FLUSH would do: one may be asked again
	code       blockdev.Code // what the error is called if it goes up, where the answer says more than the path did
	effect     Effect
}

// SAM status bytes and sense keys (SAM-5 5.3.1, SPC-4 4.5).
const (
	statusGood          = 0x00
	statusCheck         = 0x02
	statusConditionMet  = 0x04
	statusBusy          = 0x08
	statusReservation   = 0x18
	statusTaskSetFull   = 0x28
	statusACAActive     = 0x30
	statusTaskAborted   = 0x40
	keyNoSense          = 0x0
	keyRecovered        = 0x1
	keyNotReady         = 0x2
	keyMedium           = 0x3
	keyHardware         = 0x4
	keyIllegal          = 0x5
	keyAttention        = 0x6
	keyProtect          = 0x7
	keyBlank            = 0x8
	keyCopyAborted      = 0xA
	keyAborted          = 0xB
	keyOverflow         = 0xD
	keyMiscompare       = 0xE
	maxAttentions       = 8 // unit attentions in a row for one request
	readyWindow         = 60 * time.Second
	busyWindow          = 30 * time.Second
	taskSetFullWindow   = 2 * time.Minute
	abortedRetries      = 3
	failedAnswerRetries = 3
)

// dispositions is THE table: the first row that matches counts, and the last one matches everything.
//
// Two rows are deliberately milder than what Linux does: an error of the medium, of the hardware or of the request never fails a
// path, or one bad block would walk through all of them; and BUSY may move to another path.
var dispositions = []disposition{
	// A sense that is about an earlier command: this one was not begun.
	{name: "deferred error", match: deferred{}, action: RetrySame, times: 3, then: RetryOther, flushAgain: true, effect: EffectLostWrite},

	// Answers that are no failure of the device; the path found the transfer incomplete.
	{name: "incomplete transfer", match: status(statusGood, statusConditionMet), action: RetrySame, times: 1, then: RetryOther},
	{name: "recovered error", match: sense(keyNoSense, every, every), action: Accept},
	{name: "recovered error", match: sense(keyRecovered, every, every), action: Accept},

	// Statuses without sense.
	{name: "BUSY", match: status(statusBusy), action: RetryDelayed, window: busyWindow, pause: busyPause, then: RetryOther, flushAgain: true},
	{
		name: "TASK SET FULL", match: status(statusTaskSetFull), action: RetryDelayed, window: taskSetFullWindow, pause: busyPause,
		then: RetryOther, flushAgain: true, effect: EffectDepth,
	},
	{name: "RESERVATION CONFLICT", match: status(statusReservation), action: Fail, code: blockdev.CodeReservation},
	{name: "TASK ABORTED", match: status(statusTaskAborted), action: RetryDelayed, times: abortedRetries, pause: abortPause, then: RetryOther, flushAgain: true},
	{name: "ACA ACTIVE", match: status(statusACAActive), action: RetryOther, last: Wait, failPath: true, flushAgain: true},

	// Unit attentions: the command was not begun.
	{
		name: "reset", match: sense(keyAttention, 0x29, 0x00, 0x01, 0x02, 0x03, 0x04), action: RetrySame, times: maxAttentions,
		then: RetryOther, flushAgain: true, effect: EffectReset,
	},
	{
		name: "mode parameters changed", match: sense(keyAttention, 0x2A, 0x00, 0x01), action: RetrySame, times: maxAttentions,
		then: RetryOther, flushAgain: true, effect: EffectMode,
	},
	{
		name: "access state changed", match: sense(keyAttention, 0x2A, 0x06, 0x07), action: RetrySame, times: maxAttentions,
		then: RetryOther, flushAgain: true, effect: EffectALUA,
	},
	{
		name: "capacity changed", match: sense(keyAttention, 0x2A, 0x09), action: RetrySame, times: maxAttentions,
		then: RetryOther, flushAgain: true, effect: EffectCapacity,
	},
	{
		name: "device or LUNs changed", match: sense(keyAttention, 0x3F, 0x03, 0x0E), action: RetrySame, times: maxAttentions,
		then: RetryOther, flushAgain: true, effect: EffectInventory,
	},
	{
		name: "thin provisioning threshold", match: sense(keyAttention, 0x38, 0x07), action: RetrySame, times: maxAttentions,
		then: RetryOther, flushAgain: true, effect: EffectThin,
	},
	{name: "unit attention", match: sense(keyAttention, every, every), action: RetrySame, times: maxAttentions, then: RetryOther, flushAgain: true},

	// NOT READY.
	{
		name: "in transition", match: sense(keyNotReady, 0x04, 0x0A), action: RetryOther, window: readyWindow, pause: readyPause, last: Wait,
		flushAgain: true, effect: EffectALUA,
	},
	{
		name: "becoming ready", match: sense(keyNotReady, 0x04, 0x01), action: RetryDelayed, window: readyWindow, pause: readyPause,
		then: RetryOther, flushAgain: true,
	},
	{
		name: "not ready for now", match: sense(keyNotReady, 0x04, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x11, 0x14, 0x1A, 0x1B, 0x1D),
		action: RetryDelayed, window: readyWindow, pause: readyPause, then: RetryOther, flushAgain: true,
	},
	{
		name: "standby, unavailable or offline", match: sense(keyNotReady, 0x04, 0x0B, 0x0C, 0x12), action: RetryOther, last: Wait,
		failPath: true, flushAgain: true, effect: EffectALUA,
	},
	{name: "not ready", match: sense(keyNotReady, every, every), action: RetryOther, last: Wait, failPath: true, flushAgain: true},

	// What the device holds, or what was asked of it: no path is to blame.
	{name: "unrecovered read error", match: sense(keyMedium, 0x11, every), action: Fail},
	{name: "address mark not found", match: sense(keyMedium, 0x13, every), action: Fail},
	{name: "record not found", match: sense(keyMedium, 0x14, every), action: Fail},
	{name: "medium error", match: sense(keyMedium, every, every), action: RetrySame, times: 1, then: Fail},
	{name: "hardware error", match: sense(keyHardware, every, every), action: RetryOther, times: 1, then: Fail},
	{name: "operation not supported", match: sense(keyIllegal, 0x20, every), action: Fail, code: blockdev.CodeUnsupported, effect: EffectUnsupported},
	{name: "beyond the end", match: sense(keyIllegal, 0x21, every), action: Fail, code: blockdev.CodeOutOfRange, effect: EffectCapacity},
	{name: "no such LUN", match: sense(keyIllegal, 0x25, every), action: RetryOther, last: Wait, failPath: true, flushAgain: true, effect: EffectInventory},
	{name: "illegal request", match: sense(keyIllegal, every, every), action: Fail, code: blockdev.CodeInvalid},
	{name: "out of space", match: sense(keyProtect, 0x27, 0x07), action: Fail, code: blockdev.CodeNoSpace},
	{name: "write-protected", match: sense(keyProtect, every, every), action: Fail, code: blockdev.CodeReadOnly, effect: EffectReadOnly},
	{name: "blank check", match: sense(keyBlank, every, every), action: Fail},
	{name: "copy aborted", match: sense(keyCopyAborted, every, every), action: Fail},
	{name: "volume overflow", match: sense(keyOverflow, every, every), action: Fail},
	{name: "miscompare", match: sense(keyMiscompare, every, every), action: Fail},

	// ABORTED COMMAND.
	{
		name: "damaged on the way", match: sense(keyAborted, 0x47, every), action: RetryDelayed, times: abortedRetries, pause: abortPause,
		then: RetryOther, effect: EffectMarginal,
	},
	{name: "protection information", match: sense(keyAborted, 0x10, every), action: RetryOther, times: 1, then: Fail},
	{name: "duration limit", match: sense(keyAborted, 0x2E, 0x01, 0x02, 0x03), action: RetryOther, times: 1, then: Fail},
	{name: "aborted command", match: sense(keyAborted, every, every), action: RetryDelayed, times: abortedRetries, pause: abortPause, then: RetryOther},

	// A status that says nothing.
	{name: "CHECK CONDITION without sense", match: noSense{}, action: RetrySame, times: 1, then: RetryOther, last: Wait, failPath: true},
	{name: "unknown sense key", match: status(statusCheck), action: RetryOther, times: 1, then: Fail},
	{name: "unknown status", match: anyStatus{}, action: RetryOther, last: Wait, failPath: true},

	// The way there. What was not sent, or may have been, goes elsewhere at once: the same data twice is the same data.
	{
		name: "out of buffers", match: transport(blockdev.NotSent, blockdev.CodeNoMemory), action: RetryDelayed, window: busyWindow,
		pause: shortPause, then: RetryOther, flushAgain: true,
	},
	{name: "refused by the path", match: transport(blockdev.NotSent, blockdev.CodeInvalid, blockdev.CodeOutOfRange, blockdev.CodeReadOnly,
		blockdev.CodeUnsupported), action: Fail},
	{name: "not sent", match: transport(blockdev.NotSent), action: RetryOther, pause: shortPause, last: Wait, flushAgain: true},
	{name: "outcome unknown", match: transport(blockdev.Unknown), action: RetryOther, pause: shortPause, last: Wait, flushAgain: true},

	// Answers of the device, or of the target in front of it, that are not SCSI's.
	{
		name: "no answer in time", match: transport(blockdev.Failed, blockdev.CodeTimeout), action: RetryOther, pause: readyPause, last: Wait,
		flushAgain: true,
	},
	{
		name: "way lost", match: transport(blockdev.Failed, blockdev.CodeTransport, blockdev.CodeNoPath, blockdev.CodeShutdown),
		action: RetryOther, pause: shortPause, last: Wait, flushAgain: true,
	},
	{
		name: "target failure", match: transport(blockdev.Failed, blockdev.CodeIO), action: RetryDelayed, times: failedAnswerRetries,
		pause: abortPause, then: RetryOther,
	},
	{
		name: "out of buffers", match: transport(blockdev.Failed, blockdev.CodeNoMemory), action: RetryDelayed, window: busyWindow,
		pause: shortPause, then: RetryOther, flushAgain: true,
	},
	{name: "refused by the device", match: anything{}, action: Fail},
}

// dispose finds the row of an error.
func dispose(e *blockdev.Error) *disposition {
	for i := range dispositions {
		if dispositions[i].match.matches(e) {
			return &dispositions[i]
		}
	}
	return &dispositions[len(dispositions)-1]
}
