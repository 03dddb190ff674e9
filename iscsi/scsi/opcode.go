package scsi

import "fmt"

// Opcode is byte 0 of a CDB.
type Opcode uint8

// Operation codes of SPC-4 and SBC-3 that a storage host meets.
const (
	OpTestUnitReady        Opcode = 0x00
	OpRequestSense         Opcode = 0x03
	OpRead6                Opcode = 0x08
	OpWrite6               Opcode = 0x0a
	OpInquiry              Opcode = 0x12
	OpModeSelect6          Opcode = 0x15
	OpModeSense6           Opcode = 0x1a
	OpStartStopUnit        Opcode = 0x1b
	OpReadCapacity10       Opcode = 0x25
	OpRead10               Opcode = 0x28
	OpWrite10              Opcode = 0x2a
	OpVerify10             Opcode = 0x2f
	OpPrefetch10           Opcode = 0x34
	OpSynchronizeCache10   Opcode = 0x35
	OpWriteSame10          Opcode = 0x41
	OpUnmap                Opcode = 0x42
	OpModeSelect10         Opcode = 0x55
	OpModeSense10          Opcode = 0x5a
	OpPersistentReserveIn  Opcode = 0x5e
	OpPersistentReserveOut Opcode = 0x5f
	OpRead16               Opcode = 0x88
	OpCompareAndWrite      Opcode = 0x89
	OpWrite16              Opcode = 0x8a
	OpVerify16             Opcode = 0x8f
	OpPrefetch16           Opcode = 0x90
	OpSynchronizeCache16   Opcode = 0x91
	OpWriteSame16          Opcode = 0x93
	OpServiceActionIn16    Opcode = 0x9e
	OpReportLUNs           Opcode = 0xa0
	OpMaintenanceIn        Opcode = 0xa3
	OpMaintenanceOut       Opcode = 0xa4
	OpRead12               Opcode = 0xa8
	OpWrite12              Opcode = 0xaa
)

// Service actions: what the lower five bits of byte 1 say under an Opcode that is shared by several commands.
const (
	SAReadCapacity16         uint8 = 0x10 // of OpServiceActionIn16
	SAGetLBAStatus           uint8 = 0x12 // of OpServiceActionIn16
	SAReportTargetPortGroups uint8 = 0x0a // of OpMaintenanceIn
	SAReportSupportedOpcodes uint8 = 0x0c // of OpMaintenanceIn
	SASetTargetPortGroups    uint8 = 0x0a // of OpMaintenanceOut
)

// OpcodeOf returns the operation code of a CDB.
func OpcodeOf(c *CDB) Opcode { return Opcode(c[0]) }

// ServiceAction returns the service action of a CDB. It has a meaning only where the Opcode has service actions.
func ServiceAction(c *CDB) uint8 { return c[1] & 0x1f }

var opcodeNames = map[Opcode]string{
	OpTestUnitReady:        "TEST UNIT READY",
	OpRequestSense:         "REQUEST SENSE",
	OpRead6:                "READ(6)",
	OpWrite6:               "WRITE(6)",
	OpInquiry:              "INQUIRY",
	OpModeSelect6:          "MODE SELECT(6)",
	OpModeSense6:           "MODE SENSE(6)",
	OpStartStopUnit:        "START STOP UNIT",
	OpReadCapacity10:       "READ CAPACITY(10)",
	OpRead10:               "READ(10)",
	OpWrite10:              "WRITE(10)",
	OpVerify10:             "VERIFY(10)",
	OpPrefetch10:           "PRE-FETCH(10)",
	OpSynchronizeCache10:   "SYNCHRONIZE CACHE(10)",
	OpWriteSame10:          "WRITE SAME(10)",
	OpUnmap:                "UNMAP",
	OpModeSelect10:         "MODE SELECT(10)",
	OpModeSense10:          "MODE SENSE(10)",
	OpPersistentReserveIn:  "PERSISTENT RESERVE IN",
	OpPersistentReserveOut: "PERSISTENT RESERVE OUT",
	OpRead16:               "READ(16)",
	OpCompareAndWrite:      "COMPARE AND WRITE",
	OpWrite16:              "WRITE(16)",
	OpVerify16:             "VERIFY(16)",
	OpPrefetch16:           "PRE-FETCH(16)",
	OpSynchronizeCache16:   "SYNCHRONIZE CACHE(16)",
	OpWriteSame16:          "WRITE SAME(16)",
	OpServiceActionIn16:    "SERVICE ACTION IN(16)",
	OpReportLUNs:           "REPORT LUNS",
	OpMaintenanceIn:        "MAINTENANCE IN",
	OpMaintenanceOut:       "MAINTENANCE OUT",
	OpRead12:               "READ(12)",
	OpWrite12:              "WRITE(12)",
}

// String returns the standard's name of the command, or its number if this package has none.
func (o Opcode) String() string {
	if s, ok := opcodeNames[o]; ok {
		return s
	}
	return fmt.Sprintf("opcode %#02x", uint8(o))
}
