package scsi

import "fmt"

// Code is an additional sense code and its qualifier in one: ASC<<8 | ASCQ.
type Code uint16

// The codes that the host decides by or a target reports.
const (
	CodeNone                         Code = 0x0000
	CodeNotReady                     Code = 0x0400 // cause not reportable
	CodeBecomingReady                Code = 0x0401
	CodeNeedsStart                   Code = 0x0402
	CodeNeedsIntervention            Code = 0x0403
	CodeTransitioning                Code = 0x040a
	CodeStandby                      Code = 0x040b
	CodeUnavailable                  Code = 0x040c
	CodeOffline                      Code = 0x0412
	CodeWriteError                   Code = 0x0c00
	CodeUnrecoveredRead              Code = 0x1100
	CodeParameterListLength          Code = 0x1a00
	CodeMiscompare                   Code = 0x1d00
	CodeInvalidOpcode                Code = 0x2000
	CodeLBAOutOfRange                Code = 0x2100
	CodeInvalidFieldInCDB            Code = 0x2400
	CodeLUNotSupported               Code = 0x2500
	CodeInvalidFieldInParameterList  Code = 0x2600
	CodeWriteProtected               Code = 0x2700
	CodeSpaceAllocationFailed        Code = 0x2707
	CodeMediumMayHaveChanged         Code = 0x2800
	CodeReset                        Code = 0x2900 // power on, reset or bus device reset occurred
	CodePowerOn                      Code = 0x2901
	CodeBusReset                     Code = 0x2902
	CodeTargetReset                  Code = 0x2903
	CodeDeviceInternalReset          Code = 0x2904
	CodeNexusLoss                    Code = 0x2907
	CodeParametersChanged            Code = 0x2a00
	CodeModeParametersChanged        Code = 0x2a01
	CodeReservationsPreempted        Code = 0x2a03
	CodeReservationsReleased         Code = 0x2a04
	CodeRegistrationsPreempted       Code = 0x2a05
	CodeALUAStateChanged             Code = 0x2a06
	CodeALUATransitionFailed         Code = 0x2a07
	CodeCapacityChanged              Code = 0x2a09
	CodeCommandsCleared              Code = 0x2f00
	CodeMediumNotPresent             Code = 0x3a00
	CodeThinProvisioningSoftLimit    Code = 0x3807
	CodeInquiryDataChanged           Code = 0x3f03
	CodeReportedLUNsChanged          Code = 0x3f0e
	CodeInternalTargetFailure        Code = 0x4400
	CodeCommandPhaseError            Code = 0x4a00
	CodeDataPhaseError               Code = 0x4b00
	CodeInsufficientResources        Code = 0x5503
	CodeProtocolServiceCRCError      Code = 0x4705
	CodeUnexpectedUnsolicitedData    Code = 0x0c0c
	CodeNotEnoughUnsolicitedData     Code = 0x0c0d
	CodeInsufficientRegistrationRoom Code = 0x5504
)

// String writes the code as "24/00: invalid field in CDB".
func (c Code) String() string {
	head := fmt.Sprintf("%02x/%02x", uint8(c>>8), uint8(c))
	if t := c.text(); t != "" {
		return head + ": " + t
	}
	return head
}

// text says what the code means, or nothing if this package does not know it.
func (c Code) text() string {
	if t, ok := codeTexts[c]; ok {
		return t
	}
	switch asc, ascq := uint8(c>>8), uint8(c); {
	case asc == 0x40:
		return fmt.Sprintf("diagnostic failure on component %02x", ascq)
	case asc == 0x4d:
		return fmt.Sprintf("tagged overlapped commands, tag %02x", ascq)
	case asc >= 0x80 || ascq >= 0x80:
		return "vendor specific"
	}
	return ""
}
