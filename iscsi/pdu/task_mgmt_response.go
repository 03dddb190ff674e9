package pdu

// TaskMgmtResult is the outcome of a task management function (RFC 7143 11.6.1).
type TaskMgmtResult uint8

// The outcomes.
const (
	TaskMgmtComplete            TaskMgmtResult = 0
	TaskMgmtNoTask              TaskMgmtResult = 1 // task does not exist
	TaskMgmtNoLUN               TaskMgmtResult = 2 // LUN does not exist
	TaskMgmtStillAllegiant      TaskMgmtResult = 3
	TaskMgmtNoReassignment      TaskMgmtResult = 4 // task allegiance reassignment not supported
	TaskMgmtNotSupported        TaskMgmtResult = 5
	TaskMgmtAuthorizationFailed TaskMgmtResult = 6
	TaskMgmtRejected            TaskMgmtResult = 255
)

// String returns the outcome's name.
func (r TaskMgmtResult) String() string {
	if r == TaskMgmtRejected {
		return "function rejected"
	}
	return name(r, []string{
		"function complete", "task does not exist", "LUN does not exist", "task still allegiant",
		"task allegiance reassignment not supported", "task management function not supported",
		"function authorization failed",
	}, "task management response")
}

// TaskMgmtResponse answers a Task Management Request (RFC 7143 11.6).
type TaskMgmtResponse struct {
	Response TaskMgmtResult

	ITT      uint32
	StatSN   Serial
	ExpCmdSN Serial
	MaxCmdSN Serial
}

// Encode writes all 48 bytes of the header.
func (p *TaskMgmtResponse) Encode(b *BHS) {
	begin(b, OpTaskMgmtResponse, false, bitFinal)
	b[offResponse] = byte(p.Response)
	put32(b, offITT, p.ITT)
	putSerial(b, offStatSN, p.StatSN)
	putSerial(b, offExpCmdSN, p.ExpCmdSN)
	putSerial(b, offMaxCmdSN, p.MaxCmdSN)
}

// Decode reads the header and checks its format. On error p is undefined.
func (p *TaskMgmtResponse) Decode(b *BHS) error {
	if err := checkBare(b, OpTaskMgmtResponse); err != nil {
		return err
	}
	*p = TaskMgmtResponse{
		Response: TaskMgmtResult(b[offResponse]),
		ITT:      get32(b, offITT),
		StatSN:   getSerial(b, offStatSN),
		ExpCmdSN: getSerial(b, offExpCmdSN),
		MaxCmdSN: getSerial(b, offMaxCmdSN),
	}
	return checkTask(OpTaskMgmtResponse, p.ITT)
}
