package scsi

import "encoding/binary"

// CDB is a command descriptor block, padded with zeroes to the 16 bytes that a SCSI Command PDU carries.
type CDB = [16]byte

var be = binary.BigEndian

// nacaBit of the CONTROL byte asks for ACA, which neither side of this package offers.
const nacaBit = 0x04

// controlOffset is where the CONTROL byte of a CDB is; its length follows from the group in the opcode's upper three bits.
func controlOffset(c *CDB) int {
	switch c[0] >> 5 {
	case 0:
		return 5
	case 1, 2:
		return 9
	case 5:
		return 11
	}
	return 15
}

// checkCDB refuses a CDB that is not op or that asks for ACA.
func checkCDB(c *CDB, op Opcode) error {
	if OpcodeOf(c) != op {
		return badOpcode(c)
	}
	return checkControl(c)
}

// checkAction is checkCDB for a command that is one service action of op.
func checkAction(c *CDB, op Opcode, action uint8) error {
	if OpcodeOf(c) != op {
		return badOpcode(c)
	}
	if ServiceAction(c) != action {
		return badField(c, 1, "unknown service action")
	}
	return checkControl(c)
}

func checkControl(c *CDB) error {
	if o := controlOffset(c); c[o]&nacaBit != 0 {
		return badField(c, o, "ACA (NACA=1) is not supported")
	}
	return nil
}

// InRange says whether blocks from lba on are within a device of capacity blocks. It cannot overflow.
func InRange(lba, blocks, capacity uint64) bool {
	return lba <= capacity && blocks <= capacity-lba
}

func flag(on bool, bit byte) byte {
	if on {
		return bit
	}
	return 0
}
