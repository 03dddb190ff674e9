package scsi

// Verify is a VERIFY(10) or (16).
type Verify struct {
	LBA       uint64
	Blocks    uint32 // 0 verifies nothing
	DPO       bool
	ByteCheck uint8 // BYTCHK: 0 medium only, 1 compare all blocks with data-out, 3 compare each with one block of data-out
	Protect   uint8 // VRPROTECT, 0..7
}

// ParseVerify decodes VERIFY(10) and (16). The reserved BYTCHK 2 is refused. The error is a *CDBError.
func ParseVerify(c *CDB) (Verify, error) {
	var v Verify
	switch OpcodeOf(c) {
	case OpVerify10:
		v.LBA, v.Blocks = extent10(c)
	case OpVerify16:
		v.LBA, v.Blocks = extent16(c)
	default:
		return Verify{}, badOpcode(c)
	}
	v.DPO = c[1]&dpoBit != 0
	v.ByteCheck = c[1] >> 1 & 3
	v.Protect = c[1] >> 5
	if v.ByteCheck == 2 {
		return Verify{}, badField(c, 1, "BYTCHK 2 is reserved")
	}
	return v, checkControl(c)
}

// CompareAndWrite is a COMPARE AND WRITE; its data-out is twice Blocks, what is expected and what is to be written.
type CompareAndWrite struct {
	LBA     uint64
	Blocks  uint8 // 0 does nothing
	FUA     bool
	DPO     bool
	Protect uint8 // WRPROTECT, 0..7
}

// ParseCompareAndWrite decodes COMPARE AND WRITE. The error is a *CDBError.
func ParseCompareAndWrite(c *CDB) (CompareAndWrite, error) {
	if err := checkCDB(c, OpCompareAndWrite); err != nil {
		return CompareAndWrite{}, err
	}
	return CompareAndWrite{
		LBA:     be.Uint64(c[2:]),
		Blocks:  c[13],
		FUA:     c[1]&fuaBit != 0,
		DPO:     c[1]&dpoBit != 0,
		Protect: c[1] >> 5,
	}, nil
}
