package scsi

import "fmt"

// ALUAState is the asymmetric access state of a target port group.
type ALUAState uint8

// The states of SPC-4.
const (
	ALUAActiveOptimized    ALUAState = 0x0
	ALUAActiveNonOptimized ALUAState = 0x1
	ALUAStandby            ALUAState = 0x2
	ALUAUnavailable        ALUAState = 0x3
	ALUALBDependent        ALUAState = 0x4
	ALUAOffline            ALUAState = 0xe
	ALUATransitioning      ALUAState = 0xf
)

// String names the state as multipath tools do.
func (s ALUAState) String() string {
	switch s {
	case ALUAActiveOptimized:
		return "active/optimized"
	case ALUAActiveNonOptimized:
		return "active/non-optimized"
	case ALUAStandby:
		return "standby"
	case ALUAUnavailable:
		return "unavailable"
	case ALUALBDependent:
		return "lba dependent"
	case ALUAOffline:
		return "offline"
	case ALUATransitioning:
		return "transitioning"
	}
	return fmt.Sprintf("ALUA state %#x", uint8(s))
}

// PortGroup is one target port group.
type PortGroup struct {
	ID        uint16
	State     ALUAState
	Preferred bool
	Supported uint8    // the states that the group can be in, a set of ALUASup bits; 0 if not told
	Status    uint8    // what caused the last change: 0 nothing, 1 SET TARGET PORT GROUPS, 2 the device itself
	Ports     []uint16 // relative target port identifiers, at most 255
}

// Bits of PortGroup.Supported.
const (
	ALUASupActiveOptimized    = 0x01
	ALUASupActiveNonOptimized = 0x02
	ALUASupStandby            = 0x04
	ALUASupUnavailable        = 0x08
	ALUASupLBDependent        = 0x10
	ALUASupOffline            = 0x40
	ALUASupTransitioning      = 0x80
)

// PortGroups is the answer to REPORT TARGET PORT GROUPS.
type PortGroups struct {
	Extended       bool  // the extended header is there
	TransitionTime uint8 // seconds that an implicit transition may take; 0 not told; only with Extended
	Groups         []PortGroup
}
