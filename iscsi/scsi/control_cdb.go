package scsi

// PutTestUnitReady writes TEST UNIT READY.
func PutTestUnitReady(c *CDB) { *c = CDB{byte(OpTestUnitReady)} }

// PutRequestSense writes REQUEST SENSE for fixed format, or descriptor format with desc. alloc is in bytes.
func PutRequestSense(c *CDB, desc bool, alloc uint8) {
	*c = CDB{byte(OpRequestSense), flag(desc, 1), 0, 0, alloc}
}

// RequestSense is a REQUEST SENSE command.
type RequestSense struct {
	Desc  bool // descriptor format is wanted
	Alloc uint8
}

// ParseRequestSense decodes REQUEST SENSE. The error is a *CDBError.
func ParseRequestSense(c *CDB) (RequestSense, error) {
	if err := checkCDB(c, OpRequestSense); err != nil {
		return RequestSense{}, err
	}
	return RequestSense{Desc: c[1]&1 != 0, Alloc: c[4]}, nil
}

// PutReadCapacity10 writes READ CAPACITY(10); the answer has 8 bytes.
func PutReadCapacity10(c *CDB) { *c = CDB{byte(OpReadCapacity10)} }

// PutReadCapacity16 writes READ CAPACITY(16); the answer has 32 bytes. alloc is in bytes.
func PutReadCapacity16(c *CDB, alloc uint32) {
	*c = CDB{byte(OpServiceActionIn16), SAReadCapacity16}
	be.PutUint32(c[10:], alloc)
}

// ParseReadCapacity16 decodes READ CAPACITY(16) and returns its allocation length in bytes. The error is a *CDBError.
func ParseReadCapacity16(c *CDB) (alloc uint32, err error) {
	if err := checkAction(c, OpServiceActionIn16, SAReadCapacity16); err != nil {
		return 0, err
	}
	return be.Uint32(c[10:]), nil
}

// GetLBAStatus is a GET LBA STATUS command.
type GetLBAStatus struct {
	LBA   uint64
	Alloc uint32
}

// ParseGetLBAStatus decodes GET LBA STATUS. The error is a *CDBError.
func ParseGetLBAStatus(c *CDB) (GetLBAStatus, error) {
	if err := checkAction(c, OpServiceActionIn16, SAGetLBAStatus); err != nil {
		return GetLBAStatus{}, err
	}
	lba, alloc := extent16(c)
	return GetLBAStatus{LBA: lba, Alloc: alloc}, nil
}

// PutReportLUNs writes REPORT LUNS for all but the well known logical units. alloc is in bytes, at least 16.
func PutReportLUNs(c *CDB, alloc uint32) {
	*c = CDB{byte(OpReportLUNs)}
	be.PutUint32(c[6:], alloc)
}

// ReportLUNs is a REPORT LUNS command.
type ReportLUNs struct {
	Select uint8 // 0: those with numbers, 1: the well known ones, 2: both
	Alloc  uint32
}

// ParseReportLUNs decodes REPORT LUNS. A selection above 2 and an allocation length below 16 are refused. The error is a *CDBError.
func ParseReportLUNs(c *CDB) (ReportLUNs, error) {
	if err := checkCDB(c, OpReportLUNs); err != nil {
		return ReportLUNs{}, err
	}
	r := ReportLUNs{Select: c[2], Alloc: be.Uint32(c[6:])}
	switch {
	case r.Select > 2:
		return ReportLUNs{}, badField(c, 2, "unknown SELECT REPORT")
	case r.Alloc < 16:
		return ReportLUNs{}, badField(c, 6, "allocation length below 16")
	}
	return r, nil
}

// StartStop is a START STOP UNIT command.
type StartStop struct {
	Immed     bool
	Start     bool
	Eject     bool  // LOEJ
	NoFlush   bool  // the cache need not be written before the stop
	Condition uint8 // POWER CONDITION, 0..15; Start counts only if it is 0
}

// ParseStartStop decodes START STOP UNIT. The error is a *CDBError.
func ParseStartStop(c *CDB) (StartStop, error) {
	if err := checkCDB(c, OpStartStopUnit); err != nil {
		return StartStop{}, err
	}
	return StartStop{
		Immed:     c[1]&1 != 0,
		Start:     c[4]&1 != 0,
		Eject:     c[4]&2 != 0,
		NoFlush:   c[4]&4 != 0,
		Condition: c[4] >> 4,
	}, nil
}
