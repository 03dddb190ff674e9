package login

import "github.com/hawser-storage/hawser/iscsi/pdu"

// phaseOf is the stage's bit in the key table.
func phaseOf(s pdu.Stage) phase {
	switch s {
	case pdu.StageSecurity:
		return inSecurity
	case pdu.StageOperational:
		return inOperational
	default:
		return inFullFeature
	}
}

func stageName(s pdu.Stage) string {
	switch s {
	case pdu.StageSecurity:
		return "security stage"
	case pdu.StageOperational:
		return "operational stage"
	case pdu.StageFullFeature:
		return "full feature phase"
	default:
		return "reserved stage 2"
	}
}
