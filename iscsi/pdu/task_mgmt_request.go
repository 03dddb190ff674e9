package pdu

// TaskMgmtFunction is what a Task Management Request asks for (RFC 7143 11.5.1).
type TaskMgmtFunction uint8

// The task management functions.
const (
	AbortTask        TaskMgmtFunction = 1
	AbortTaskSet     TaskMgmtFunction = 2
	ClearACA         TaskMgmtFunction = 3
	ClearTaskSet     TaskMgmtFunction = 4
	LogicalUnitReset TaskMgmtFunction = 5
	TargetWarmReset  TaskMgmtFunction = 6
	TargetColdReset  TaskMgmtFunction = 7
	TaskReassign     TaskMgmtFunction = 8
)

// String returns the function's name.
func (f TaskMgmtFunction) String() string {
	return name(f, []string{
		AbortTask: "ABORT TASK", AbortTaskSet: "ABORT TASK SET", ClearACA: "CLEAR ACA",
		ClearTaskSet: "CLEAR TASK SET", LogicalUnitReset: "LOGICAL UNIT RESET",
		TargetWarmReset: "TARGET WARM RESET", TargetColdReset: "TARGET COLD RESET",
		TaskReassign: "TASK REASSIGN",
	}, "task management function")
}

// TaskMgmtRequest asks the target to act on tasks that are already there (RFC 7143 11.5).
type TaskMgmtRequest struct {
	Immediate bool // I: outside the CmdSN order
	Function  TaskMgmtFunction

	LUN               LUN // for the functions that address a logical unit
	ITT               uint32
	ReferencedTaskTag uint32 // ITT of the task, with AbortTask and TaskReassign; else ReservedTag
	CmdSN             Serial
	ExpStatSN         Serial
	RefCmdSN          Serial // CmdSN of the task, with AbortTask
	ExpDataSN         Serial // with TaskReassign
}

const (
	functionMask         = 0x7f
	offReferencedTaskTag = 20
	offRefCmdSN          = 32
)

// Encode writes all 48 bytes of the header.
func (p *TaskMgmtRequest) Encode(b *BHS) {
	begin(b, OpTaskMgmtRequest, p.Immediate, bitFinal|byte(p.Function)&functionMask)
	putLUN(b, p.LUN)
	put32(b, offITT, p.ITT)
	put32(b, offReferencedTaskTag, p.ReferencedTaskTag)
	putSerial(b, offCmdSN, p.CmdSN)
	putSerial(b, offExpStatSN, p.ExpStatSN)
	putSerial(b, offRefCmdSN, p.RefCmdSN)
	putSerial(b, offExpDataSN, p.ExpDataSN)
}

// Decode reads the header and checks its format. A function that is not known is no error: the
// target answers TaskMgmtNotSupported. On error p is undefined.
func (p *TaskMgmtRequest) Decode(b *BHS) error {
	if err := checkBare(b, OpTaskMgmtRequest); err != nil {
		return err
	}
	*p = TaskMgmtRequest{
		Immediate:         Immediate(b),
		Function:          TaskMgmtFunction(b[offFlags] & functionMask),
		LUN:               getLUN(b),
		ITT:               get32(b, offITT),
		ReferencedTaskTag: get32(b, offReferencedTaskTag),
		CmdSN:             getSerial(b, offCmdSN),
		ExpStatSN:         getSerial(b, offExpStatSN),
		RefCmdSN:          getSerial(b, offRefCmdSN),
		ExpDataSN:         getSerial(b, offExpDataSN),
	}
	if (p.Function == AbortTask || p.Function == TaskReassign) && p.ReferencedTaskTag == ReservedTag {
		return malformed(OpTaskMgmtRequest, "Referenced Task Tag", "reserved although the function acts on one task")
	}
	return checkTask(OpTaskMgmtRequest, p.ITT)
}
