package scsi

import "fmt"

// PutSetTargetPortGroups writes SET TARGET PORT GROUPS, which a device with TPGSExplicit obeys. paramLen is the length in bytes
// of the parameter list that is sent with it.
func PutSetTargetPortGroups(c *CDB, paramLen uint32) {
	*c = CDB{byte(OpMaintenanceOut), SASetTargetPortGroups}
	be.PutUint32(c[6:], paramLen)
}

// ParseSetTargetPortGroups decodes SET TARGET PORT GROUPS and returns the length in bytes of its parameter list. The error is a
// *CDBError.
func ParseSetTargetPortGroups(c *CDB) (paramLen uint32, err error) {
	if err := checkAction(c, OpMaintenanceOut, SASetTargetPortGroups); err != nil {
		return 0, err
	}
	return be.Uint32(c[6:]), nil
}

// GroupState is what SET TARGET PORT GROUPS wants of one group.
type GroupState struct {
	ID    uint16
	State ALUAState
}

const stpgLen = 4 // of the header, and of each group

// AppendGroupStates appends the parameter list of SET TARGET PORT GROUPS: 4 bytes and 4 for each group.
func AppendGroupStates(dst []byte, groups ...GroupState) []byte {
	dst = append(dst, 0, 0, 0, 0)
	for _, g := range groups {
		dst = append(dst, byte(g.State)&0x0f, 0, byte(g.ID>>8), byte(g.ID))
	}
	return dst
}

// ParseGroupStates decodes the parameter list of SET TARGET PORT GROUPS, of MaxPortGroups at most. No bytes at all ask for
// nothing. The error is a *FormatError, for which a target reports CodeParameterListLength.
func ParseGroupStates(b []byte) ([]GroupState, error) {
	const what = "SET TARGET PORT GROUPS parameter list"
	switch n := len(b); {
	case n == 0:
		return nil, nil
	case n%stpgLen != 0:
		return nil, badData(what, fmt.Sprintf("%d bytes are not a whole number of groups", n))
	case n/stpgLen-1 > MaxPortGroups:
		return nil, badData(what, fmt.Sprintf("more than %d groups", MaxPortGroups))
	}
	var groups []GroupState
	for b = b[stpgLen:]; len(b) > 0; b = b[stpgLen:] {
		groups = append(groups, GroupState{ID: be.Uint16(b[2:]), State: ALUAState(b[0] & 0x0f)})
	}
	return groups, nil
}
