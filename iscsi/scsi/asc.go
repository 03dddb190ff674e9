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

// text says what the code means; for one that is not in the table, what it has in common with the others of its ASC.
func (c Code) text() string {
	if t, ok := codeTexts[c]; ok {
		return t
	}
	switch asc, ascq := uint8(c>>8), uint8(c); {
	case asc >= 0x80 || ascq >= 0x80:
		return "vendor specific"
	case asc == 0x40:
		return fmt.Sprintf("diagnostic failure on component %02x", ascq)
	case asc == 0x4d:
		return fmt.Sprintf("tagged overlapped commands, tag %02x", ascq)
	}
	return codeTexts[c&0xff00]
}

var codeTexts = map[Code]string{
	0x0002: "end of medium detected",
	0x0006: "I/O process terminated",
	0x0016: "operation in progress",
	0x0100: "no index or sector signal",
	0x0200: "no seek complete",
	0x0300: "peripheral device write fault",
	0x0400: "not ready, cause not reportable",
	0x0401: "becoming ready",
	0x0402: "not ready, start unit command required",
	0x0403: "not ready, manual intervention required",
	0x0404: "not ready, format in progress",
	0x0405: "not ready, rebuild in progress",
	0x0406: "not ready, recalculation in progress",
	0x0407: "not ready, operation in progress",
	0x0408: "not ready, long write in progress",
	0x0409: "not ready, self-test in progress",
	0x040a: "asymmetric access state transition",
	0x040b: "target port in standby state",
	0x040c: "target port in unavailable state",
	0x0411: "not ready, notify (enable spinup) required",
	0x0412: "not ready, offline",
	0x0414: "not ready, space allocation in progress",
	0x041a: "not ready, start stop unit in progress",
	0x041b: "not ready, sanitize in progress",
	0x041c: "not ready, additional power use not yet granted",
	0x041d: "not ready, configuration in progress",
	0x0424: "not ready, depopulation in progress",
	0x0425: "not ready, depopulation restoration in progress",
	0x0500: "logical unit does not respond to selection",
	0x0700: "multiple peripheral devices selected",
	0x0800: "logical unit communication failure",
	0x0801: "logical unit communication time-out",
	0x0802: "logical unit communication parity error",
	0x0a00: "error log overflow",
	0x0b00: "warning",
	0x0b01: "warning, specified temperature exceeded",
	0x0b02: "warning, enclosure degraded",
	0x0b06: "warning, non-volatile cache now volatile",
	0x0b07: "warning, degraded power to non-volatile cache",
	0x0c00: "write error",
	0x0c02: "write error, auto reallocation failed",
	0x0c03: "write error, recommend reassignment",
	0x0c0b: "auxiliary memory write error",
	0x0c0c: "write error, unexpected unsolicited data",
	0x0c0d: "write error, not enough unsolicited data",
	0x0d00: "error detected by third party temporary initiator",
	0x0e00: "invalid information unit",
	0x0e01: "information unit too short",
	0x0e02: "information unit too long",
	0x1000: "ID CRC or ECC error",
	0x1001: "logical block guard check failed",
	0x1002: "logical block application tag check failed",
	0x1003: "logical block reference tag check failed",
	0x1100: "unrecovered read error",
	0x1101: "read retries exhausted",
	0x1102: "error too long to correct",
	0x1103: "multiple read errors",
	0x1104: "unrecovered read error, auto reallocate failed",
	0x110b: "unrecovered read error, recommend reassignment",
	0x1114: "read error, LBA marked bad by application client",
	0x1300: "address mark not found for data field",
	0x1400: "recorded entity not found",
	0x1401: "record not found",
	0x1500: "random positioning error",
	0x1700: "recovered data with no error correction applied",
	0x1701: "recovered data with retries",
	0x1800: "recovered data with error correction applied",
	0x1900: "defect list error",
	0x1a00: "parameter list length error",
	0x1b00: "synchronous data transfer error",
	0x1c00: "defect list not found",
	0x1d00: "miscompare during verify operation",
	0x2000: "invalid command operation code",
	0x2002: "access denied, no access rights",
	0x2100: "logical block address out of range",
	0x2101: "invalid element address",
	0x2104: "unaligned write command",
	0x2200: "illegal function",
	0x2300: "invalid token operation, cause not reportable",
	0x2400: "invalid field in CDB",
	0x2401: "CDB decryption error",
	0x2500: "logical unit not supported",
	0x2600: "invalid field in parameter list",
	0x2601: "parameter not supported",
	0x2602: "parameter value invalid",
	0x2604: "invalid release of persistent reservation",
	0x2606: "too many target descriptors",
	0x2608: "too many segment descriptors",
	0x2700: "write protected",
	0x2701: "hardware write protected",
	0x2702: "logical unit software write protected",
	0x2707: "space allocation failed, write protect",
	0x2800: "not ready to ready change, medium may have changed",
	0x2900: "power on, reset, or bus device reset occurred",
	0x2901: "power on occurred",
	0x2902: "SCSI bus reset occurred",
	0x2903: "bus device reset function occurred",
	0x2904: "device internal reset",
	0x2905: "transceiver mode changed to single-ended",
	0x2906: "transceiver mode changed to LVD",
	0x2907: "I_T nexus loss occurred",
	0x2a00: "parameters changed",
	0x2a01: "mode parameters changed",
	0x2a02: "log parameters changed",
	0x2a03: "reservations preempted",
	0x2a04: "reservations released",
	0x2a05: "registrations preempted",
	0x2a06: "asymmetric access state changed",
	0x2a07: "implicit asymmetric access state transition failed",
	0x2a08: "priority changed",
	0x2a09: "capacity data has changed",
	0x2a0a: "error history I_T nexus cleared",
	0x2a10: "timestamp changed",
	0x2b00: "copy cannot execute since host cannot disconnect",
	0x2c00: "command sequence error",
	0x2c09: "previous reservation conflict status",
	0x2c0c: "ORWRITE generation does not match",
	0x2e00: "insufficient time for operation",
	0x2e01: "command timeout before processing",
	0x2e02: "command timeout during processing",
	0x2e03: "command timeout during processing due to error recovery",
	0x2f00: "commands cleared by another initiator",
	0x2f01: "commands cleared by power loss notification",
	0x2f02: "commands cleared by device server",
	0x3000: "incompatible medium installed",
	0x3100: "medium format corrupted",
	0x3101: "format command failed",
	0x3200: "no defect spare location available",
	0x3500: "enclosure services failure",
	0x3700: "rounded parameter",
	0x3802: "power management state change",
	0x3807: "thin provisioning soft threshold reached",
	0x3900: "saving parameters not supported",
	0x3a00: "medium not present",
	0x3d00: "invalid bits in identify message",
	0x3e00: "logical unit has not self-configured yet",
	0x3e01: "logical unit failure",
	0x3e02: "timeout on logical unit",
	0x3e03: "logical unit failed self-test",
	0x3f00: "target operating conditions have changed",
	0x3f01: "microcode has been changed",
	0x3f02: "changed operating definition",
	0x3f03: "inquiry data has changed",
	0x3f05: "device identifier changed",
	0x3f0e: "reported LUNs data has changed",
	0x4000: "RAM failure",
	0x4300: "message error",
	0x4400: "internal target failure",
	0x4500: "select or reselect failure",
	0x4600: "unsuccessful soft reset",
	0x4700: "SCSI parity error",
	0x4701: "data phase CRC error detected",
	0x4703: "information unit CRC error detected",
	0x4705: "protocol service CRC error",
	0x477f: "some commands cleared by iSCSI protocol event",
	0x4800: "initiator detected error message received",
	0x4900: "invalid message error",
	0x4a00: "command phase error",
	0x4b00: "data phase error",
	0x4b01: "invalid target port transfer tag received",
	0x4b02: "too much write data",
	0x4b03: "ACK or NAK timeout",
	0x4b04: "NAK received",
	0x4b05: "data offset error",
	0x4b06: "initiator response timeout",
	0x4c00: "logical unit failed self-configuration",
	0x4e00: "overlapped commands attempted",
	0x5300: "media load or eject failed",
	0x5302: "medium removal prevented",
	0x5500: "system resource failure",
	0x5501: "system buffer full",
	0x5502: "insufficient reservation resources",
	0x5503: "insufficient resources",
	0x5504: "insufficient registration resources",
	0x5506: "auxiliary memory out of space",
	0x5d00: "failure prediction threshold exceeded",
	0x5dff: "failure prediction threshold exceeded (false)",
	0x5e00: "low power condition on",
	0x5e01: "idle condition activated by timer",
	0x5e02: "standby condition activated by timer",
	0x6500: "voltage fault",
	0x6700: "configuration failure",
	0x6800: "logical unit not configured",
	0x6900: "data loss on logical unit",
	0x6901: "multiple logical unit failures",
	0x6902: "parity and data mismatch",
	0x6a00: "informational, refer to log",
	0x6b00: "state change has occurred",
	0x6b01: "redundancy level got better",
	0x6b02: "redundancy level got worse",
	0x6c00: "rebuild failure occurred",
	0x6d00: "recalculate failure occurred",
	0x6e00: "command to logical unit failed",
	0x6f00: "copy protection key exchange failure",
	0x7400: "security error",
	0x7408: "invalid security field",
}
